"""The request of one stage to a model.

The pipeline from a text to its traces is written once, as coroutines that get the reply to each `Ask` from a function that
is passed to them: `Caller.answer` in research code and optimizers; in a run, one that looks in the journal first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import dspy
from pydantic import ValidationError

from programs.asking.reply import Reply, StageFailed
from programs.asking.schema import outputs_of
from signatures.stages import STAGES

Result = TypeVar("Result")

Check = Callable[[list[Any]], list[str]]
"""Takes the values received so far (the newest last) and returns their problems, an empty list if there are none."""

Subject = tuple[str, ...]
"""What an ask is about: ids, that of the text first. They are the parts of the ask's key."""


def accept_all(_values: list[Any]) -> list[str]:
    """The check of a stage that only requires a readable reply."""
    return []


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request of a stage. `subject` says what it is about: the ids of the text, of the question, the draft or the try,
    and of the model if the ask names one.

    `model` names the model to ask if it is not the stage's own. `temperature` None means that of the compiled program, or
    else the model's default. `earlier` is an earlier try, as the model wrote it or as prose, and `feedback` says why it was
    rejected. `min_tokens` is a lower bound for the call's `max_tokens`. `drop_inputs` maps a problem to the input that is
    left out once a try had it.
    """

    stage: str
    subject: Subject
    predict: dspy.Predict
    inputs: Mapping[str, Any]
    check: Check = accept_all
    model: str | None = None
    temperature: float | None = None
    earlier: str = ""
    feedback: tuple[str, ...] = ()
    min_tokens: int = 0
    drop_inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How far along its text the stage is (`signatures.stages.Stage`)."""
        return STAGES[self.stage].depth

    @property
    def key(self) -> str:
        """Identifies the ask in the journal: equal keys are the same work, paid for once."""
        return "/".join((self.stage, *self.subject))

    @property
    def sample(self) -> str:
        """The id of the text that the ask is about."""
        return self.subject[0]

    @property
    def asked_temperature(self) -> float | None:
        """The temperature to request: the ask's own, or else the compiled program's."""
        return self.temperature if self.temperature is not None else self.predict.config.get("temperature")

    @property
    def output_field(self) -> str:
        """The name of the one output field."""
        return outputs_of(self.predict.signature)[0][0]

    def read(self, output: Any) -> Any:
        """Parses the stage's value from its journaled form. Raises pydantic's ValidationError if the form does not fit."""
        return outputs_of(self.predict.signature)[0][1].model_validate(output)

    def can_read(self, reply: Reply) -> bool:
        """Whether a stored reply can be used: false if its value has the form of another version."""
        try:
            return reply.status != "ok" or self.read(reply.output) is not None
        except ValidationError:
            return False

    def value_of(self, reply: Reply) -> Any:
        """The checked value of a reply. Raises `StageFailed` if there is none."""
        if reply.status != "ok":
            raise StageFailed(self.stage, reply)
        return self.read(reply.output)


AnswerAsk = Callable[[Ask], Awaitable[Reply]]
"""A function that answers an ask."""


async def gather_all(awaited: Iterable[Awaitable[Result]]) -> list[Result]:
    """Runs awaitables concurrently and returns their results in order.

    If one fails, the others are still awaited, since their answers are paid for; then the first error is raised.
    """
    waiting = list(awaited)
    if len(waiting) == 1:
        return [await waiting[0]]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    failure = next((result for result in results if isinstance(result, BaseException)), None)
    if failure is not None:
        raise failure
    return cast(list[Result], results)
