"""What a stage asks of a model.

The whole way from a text to its traces is written once, as coroutines that await the reply to each `Ask` of one function
handed down to them: `Caller.answer` for research code and optimizers, the runner's, which looks into the journal first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import dspy
from pydantic import ValidationError

from programs.asking.reply import Reply, StageFailed
from programs.asking.schema import outputs_of

Result = TypeVar("Result")

Check = Callable[[list[Any]], list[str]]
"""From the values got so far (the newest last) to what is wrong with them; nothing wrong: an empty list."""


def accept_all(_values: list[Any]) -> list[str]:
    """The check of a stage whose form is all that is asked."""
    return []


@dataclass(frozen=True)
class Ask:
    """One stage to be asked. `key` names it in the journal: equal keys are the same work, paid for once.

    `depth` is how far along its text the stage is; the runner serves the deepest waiting one first. `judge` names the
    model when it is not the stage's own. `temperature` None leaves it to the compiled program, or else to the model.
    `earlier` is an earlier try, as the model wrote it or as prose, and `feedback` why it was not taken. `purpose` says what
    else than a trace the stage is asked for; its cost is counted apart. `least_tokens` is how many a reply may have at
    least, whatever the run's limit. `taken_away` names the input that is left out once a try had a problem.
    """

    stage: str
    key: str
    predict: dspy.Predict
    inputs: Mapping[str, Any]
    depth: int
    check: Check = accept_all
    judge: str | None = None
    temperature: float | None = None
    earlier: str = ""
    feedback: tuple[str, ...] = ()
    purpose: str = ""
    least_tokens: int = 0
    taken_away: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The name under which the cost is counted."""
        return f"{self.purpose}: {self.stage}" if self.purpose else self.stage

    @property
    def sample(self) -> str:
        """The sample that the ask is about, from its key (`stage/sample/...`)."""
        return self.key.split("/")[1]

    @property
    def asked_temperature(self) -> float | None:
        """The temperature to ask with: the ask's own, or the one that the program was compiled with."""
        return self.temperature if self.temperature is not None else self.predict.config.get("temperature")

    @property
    def output(self) -> str:
        """The name of the one output field."""
        return outputs_of(self.predict.signature)[0][0]

    def read(self, output: Any) -> Any:
        """The stage's value from its journaled form. Raises pydantic's ValidationError when it has another form."""
        return outputs_of(self.predict.signature)[0][1].model_validate(output)

    def reads(self, reply: Reply) -> bool:
        """Whether a stored reply still says something: not where its value has the form of another version."""
        try:
            return reply.status != "ok" or self.read(reply.output) is not None
        except ValidationError:
            return False

    def value_of(self, reply: Reply) -> Any:
        """The checked value of a reply. Raises `StageFailed` when there is none."""
        if reply.status != "ok":
            raise StageFailed(self.stage, reply)
        return self.read(reply.output)


Answering = Callable[[Ask], Awaitable[Reply]]
"""Answers an ask."""


async def together(awaited: Iterable[Awaitable[Result]]) -> list[Result]:
    """What all of them give, in order; they run at the same time.

    When one fails, what runs beside it is waited for (its answers are paid for), then the first error is raised.
    """
    waiting = list(awaited)
    if len(waiting) == 1:
        return [await waiting[0]]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    failure = next((result for result in results if isinstance(result, BaseException)), None)
    if failure is not None:
        raise failure
    return cast(list[Result], results)
