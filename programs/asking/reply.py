"""What came back from a stage, and what it cost."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from programs.errors import SynthReasonerError
from programs.lms.meter import Spent

ReplyStatus = Literal["ok", "unusable", "unread", "open"]


class Rejected(BaseModel):
    """A try that was not taken, and why: `output` is what came back, or `text` where it could not be read (empty: it was
    without text, or is too long to be shown again; None: no reply came). `cut`: it stops in the middle. `spent` is None
    for the last try, whose cost is the reply's."""

    output: Any = None
    problems: list[str]
    text: str | None = None
    cut: bool = False
    spent: Spent | None = None


class Reply(BaseModel):
    """What became of an ask, as its last call left it.

    `ok`: `output` passed its checks. `unusable`: read, but its checks failed at every try; `output` is the last.
    `unread`: no try could be read or answered; `output` is None, and a later run asks again. `fault` then says where that
    lay if not with the model: `refused`, the server would not answer this, for another reason than its length; `server`,
    it failed. `open`: the last try was rejected, and another follows. `spent` is what the last call cost (in journals of
    older versions all of them).
    """

    status: ReplyStatus
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
        return self.status in ("ok", "unusable")

    @property
    def spent_in_all(self) -> Spent:
        """What all tries cost."""
        return sum((each.spent for each in self.rejected if each.spent), self.spent)


class StageFailed(SynthReasonerError):
    """A stage gave nothing to go on with. `final`: its outcome is settled and a later run would not ask again."""

    def __init__(self, stage: str, reply: Reply) -> None:
        super().__init__(f"{stage}: {'; '.join(reply.problems) or reply.status}")
        self.stage = stage
        self.reply = reply
        self.final = reply.settled
