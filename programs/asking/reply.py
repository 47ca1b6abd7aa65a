"""The reply of a stage, its rejected tries, and their cost."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from programs.errors import SynthReasonerError
from programs.lms.meter import ResourceUsage

ReplyStatus = Literal["ok", "unusable", "unread", "open"]


class RejectedTry(BaseModel):
    """A rejected try and its problems. `output` is its value; if it could not be read, `text` is the reply (empty if it had
    no text or is too long to be shown again, None if the call ended with an error, such as `Truncated`). `cut`: it stops in
    the middle. `spent` is None for the last try, whose cost is in the `Reply`."""

    output: Any = None
    problems: list[str]
    text: str | None = None
    cut: bool = False
    spent: ResourceUsage | None = None


class Reply(BaseModel):
    """The outcome of an ask after its latest call.

    `ok`: `output` passed its checks. `unusable`: every value that could be read failed its checks; `output` is the last.
    `unread`: no try could be read, or the server failed; `output` is None, and a later run asks again. `fault` then tells
    why, if not because of the model: `refused`, the server refused the request for a reason other than its length;
    `server`, the server failed. `open`: the last try was rejected, and another follows. `spent` is the cost of the latest
    call (in journals of older versions, of all calls).
    """

    status: ReplyStatus
    output: Any = None
    problems: list[str] = Field(default_factory=list)
    rejected: list[RejectedTry] = Field(default_factory=list)
    fault: Literal["refused", "server"] | None = None
    model: str = ""
    temperature: float | None = None
    reasoning: str | None = None
    spent: ResourceUsage = Field(default_factory=ResourceUsage)

    @property
    def settled(self) -> bool:
        """Whether this reply is final, so that the stage is not asked again."""
        return self.status in ("ok", "unusable")

    @property
    def spent_in_all(self) -> ResourceUsage:
        """The cost of all tries."""
        return sum((each.spent for each in self.rejected if each.spent), self.spent)


class StageFailed(SynthReasonerError):
    """A stage gave no usable value. `final`: its reply is settled, so a later run would not ask again."""

    def __init__(self, stage: str, reply: Reply) -> None:
        super().__init__(f"{stage}: {'; '.join(reply.problems) or reply.status}")
        self.stage = stage
        self.reply = reply
        self.final = reply.settled
