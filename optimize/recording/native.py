"""Engines over the models that DSPy calls itself, so that their calls can be recorded like any other."""

from typing import Any

import dspy
from dspy.lm15 import Request, Response


class _Native:
    """What both engines hold. A copy of an engine is the engine itself: optimizers copy whole programs."""

    def __init__(self, lm: dspy.LM) -> None:
        self._lm = lm

    @property
    def supports_response_schema(self) -> bool:
        """What DSPy knows of the model."""
        return bool(self._lm.supports_response_schema)

    @property
    def supported_params(self) -> frozenset[str]:
        """What DSPy knows of the model."""
        return frozenset(self._lm.supported_params)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Native":
        return self


class NativeEngine(_Native):
    """A sync engine that hands requests to a `dspy.LM`. Raises DSPy's public errors."""

    def complete(self, request: Request) -> Response:
        """The LM's answer, with the LM's own retries."""
        return self._lm(request=request)


class AsyncNativeEngine(_Native):
    """The same for tasks."""

    async def complete(self, request: Request) -> Response:
        """The LM's answer, with the LM's own retries."""
        return await self._lm.acall(request=request)
