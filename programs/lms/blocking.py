"""An engine as DSPy calls it where nobody awaits."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from dspy.lm15 import Request, Response

from programs.background_loop import run


class AwaitedEngine(Protocol):
    """What DSPy awaits, and reads before each call."""

    @property
    def supports_response_schema(self) -> bool: ...

    @property
    def supported_params(self) -> AbstractSet[str]: ...

    async def complete(self, request: Request) -> Response: ...


class BlockingEngine:
    """The sync engine that every `dspy.LM` has to have: it waits for the awaited one on the background loop. Any number of
    threads may call at once, but not that loop's own. A copy of it is itself."""

    def __init__(self, engine: AwaitedEngine) -> None:
        self._engine = engine

    def __deepcopy__(self, memo: dict[int, Any]) -> BlockingEngine:
        return self

    @property
    def supports_response_schema(self) -> bool:
        """Read by DSPy before each call."""
        return self._engine.supports_response_schema

    @property
    def supported_params(self) -> AbstractSet[str]:
        """Read by DSPy before each call."""
        return self._engine.supported_params

    def complete(self, request: Request) -> Response:
        """The answer to `request`. Raises what the awaited engine raises."""
        return run(self._engine.complete(request))
