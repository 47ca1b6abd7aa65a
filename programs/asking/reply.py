"""What came back from a stage, and what it cost."""

from collections import Counter
from typing import Any, Literal

from pydantic import BaseModel, Field

from programs.errors import SynthReasonerError


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
        return Spent(
            calls=self.calls + other.calls,
            reasks=self.reasks + other.reasks,
            faults=dict(sorted((Counter(self.faults) + Counter(other.faults)).items())),
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
    `unread`: no try could be read or answered; `output` is None, and a later run asks again. `fault` then says where that
    lay if not with the model: `refused`, the server would not answer this, for another reason than its length; `server`,
    it failed.
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


class StageFailed(SynthReasonerError):
    """A stage gave nothing to go on with. `final`: its outcome is settled and a later run would not ask again."""

    def __init__(self, stage: str, reply: Reply) -> None:
        super().__init__(f"{stage}: {'; '.join(reply.problems) or reply.status}")
        self.stage = stage
        self.reply = reply
        self.final = reply.settled
