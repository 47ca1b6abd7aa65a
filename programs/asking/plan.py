"""What a stage is asked, and what came back.

The whole way from a text to its traces is written once, as coroutines that await the reply to each `Ask` of one function
handed down to them. For research code and optimizers that is `Caller.answer`; the runner's looks into the journal first.
The order of the calls and what is made of them never differ.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar, cast

import dspy
from pydantic import BaseModel, Field, ValidationError

from programs.errors import SynthReasonerError

Result = TypeVar("Result")

Check = Callable[[list[Any]], list[str]]
"""From the values got so far (the newest last) to what is wrong with them; nothing wrong: an empty list."""


def accept_all(_values: list[Any]) -> list[str]:
    """The check of a stage whose form is all that is asked."""
    return []


@dataclass(frozen=True)
class Ask:
    """One stage to be asked. `key` names it in the journal: equal keys are the same work, paid for once.

    `depth` is how far along its text the stage is; the runner serves the deepest waiting one first.
    `least_tokens` is how many a reply may have at least, whatever the run's limit.
    `judge` names the model when it is not the stage's own. `temperature` None leaves it to the compiled program, or else
    to the model. `earlier` is an earlier try, as the model wrote it or as prose, and `feedback` why it was not taken.
    `purpose` says what else than a trace the stage is asked for; its cost is counted apart.
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
        return _output_of(self.predict.signature)[0]

    def read(self, output: Any) -> Any:
        """The stage's value from its journaled form. Raises pydantic's ValidationError when it has another form."""
        return _output_of(self.predict.signature)[1].model_validate(output)

    def reads(self, reply: "Reply") -> bool:
        """Whether a stored reply still says something: not where its value has the form of another version."""
        if reply.status != "ok":
            return True
        try:
            self.read(reply.output)
        except ValidationError:
            return False
        return True


# DSPy makes the mapping of a signature's fields anew at every access.
@lru_cache(maxsize=256)
def _output_of(signature: Any) -> tuple[str, Any]:
    name, info = next(iter(signature.output_fields.items()))
    return name, info.annotation


class Spent(BaseModel):
    """What replies cost: calls that were answered, tries beyond the first of a stage, HTTP requests beyond the first
    of a call by kind of fault, tokens as the servers count them (None: some server did not say), seconds of waiting."""

    calls: int = 0
    reasks: int = 0
    faults: dict[str, int] = Field(default_factory=dict)
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    cached_tokens: int | None = 0
    seconds: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        kinds = sorted({*self.faults, *other.faults})
        return Spent(
            calls=self.calls + other.calls,
            reasks=self.reasks + other.reasks,
            faults={kind: self.faults.get(kind, 0) + other.faults.get(kind, 0) for kind in kinds},
            prompt_tokens=_sum(self.prompt_tokens, other.prompt_tokens),
            completion_tokens=_sum(self.completion_tokens, other.completion_tokens),
            cached_tokens=_sum(self.cached_tokens, other.cached_tokens),
            seconds=round(self.seconds + other.seconds, 3),
        )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


class Rejected(BaseModel):
    """A try that was not taken: what came back (None when it could not be read) and why it was not taken."""

    output: Any = None
    problems: list[str]


class Reply(BaseModel):
    """What became of an ask.

    `ok`: `output` passed its checks. `unusable`: read, but its checks failed at every try; `output` is the last.
    `unread`: no try could be read or answered; `output` is None, and a later run asks again. `fault` then says
    where that lay if not with the model: `refused`, the server would not answer this, for another reason than its length;
    `server`, it failed.
    """

    status: Literal["ok", "unusable", "unread"]
    output: Any = None
    problems: list[str] = Field(default_factory=list)
    rejected: list[Rejected] = Field(default_factory=list)
    fault: Literal["refused", "server"] | None = None
    model: str = ""
    temperature: float | None = None
    reasoning: str | None = None
    spent: Spent = Field(default_factory=Spent)

    @property
    def settled(self) -> bool:
        """Whether this reply stands, so that the stage is not asked again."""
        return self.status != "unread"


Answering = Callable[[Ask], Awaitable[Reply]]
"""Answers an ask."""


class StageFailed(SynthReasonerError):
    """A stage gave nothing to go on with. `final`: its outcome is settled and a later run would not ask again."""

    def __init__(self, stage: str, reply: Reply) -> None:
        super().__init__(f"{stage}: {'; '.join(reply.problems) or reply.status}")
        self.stage = stage
        self.reply = reply
        self.final = reply.settled


def value_of(ask: Ask, reply: Reply) -> Any:
    """The checked value of a reply. Raises `StageFailed` when there is none."""
    if reply.status != "ok":
        raise StageFailed(ask.stage, reply)
    return ask.read(reply.output)


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
