"""Modules written once, as coroutines, that DSPy may also call without awaiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dspy

from programs.asking.adapter import PassageFirstAdapter
from programs.background_loop import run


class AwaitedModule(dspy.Module):
    """A module that has `aforward`. `forward` runs it on the background loop (see `programs.background_loop.run`), so that
    what optimizers call from threads is what tasks await."""

    def forward(self, *args: Any, **inputs: Any) -> dspy.Prediction:
        """As `aforward`, without awaiting."""
        return run(self.aforward(*args, **inputs))


class PredictorModule(AwaitedModule):
    """A module with one predictor, `predict`: it takes the fields of a signature, and gives its outputs."""

    def __init__(self, signature: type[dspy.Signature]) -> None:
        super().__init__()
        self.predict = dspy.Predict(signature)

    async def aforward(self, **fields: Any) -> dspy.Prediction:
        """What the LM that DSPy is configured with says, asked once."""
        with adapted():
            return await self.predict.acall(**fields)


@contextmanager
def adapted() -> Iterator[None]:
    """Inside, the adapter is the one that DSPy is configured with, or else ours."""
    with dspy.context(adapter=dspy.settings.adapter or PassageFirstAdapter()):
        yield
