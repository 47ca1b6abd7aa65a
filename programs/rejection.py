"""Why a question, a variation, a short answer or a rubric was rejected."""

from enum import Enum

from pydantic import BaseModel, ConfigDict


class Reason(str, Enum):
    """The kinds of reasons. The values are stored in journals and shown in reports."""

    UNUSABLE = "unusable"
    """Every reply of a stage failed its checks. The detail starts with the name of the stage."""
    UNANSWERED = "unanswered"
    """No reply of a stage could be read, or the server failed. A later run asks again."""
    JUDGED = "turned down by the judges"
    UNJUDGED = "no judge gave a score"
    NEED = "not the need that is kept"
    OWN_THOUGHT = "no own thought was taken"
    SAME_VARIATION = "the same as another variation"
    BENCHMARK = "gives a benchmark away"
    REPEATED = "was asked of another text"
    SAME_QUESTION = "asks the same as another of its text"
    LEANS = "leans on its source"
    ARTEFACT = "shows how it was made"
    NOTHING_ASKED = "asks nothing"
    OFF_SUBJECT = "is not about the passage"
    FORM = "not in the form asked for"
    UNREADABLE = "cannot be read"
    UNIT = "its unit is not known"
    UNSTATED = "a figure that neither passage nor question gives and nothing works out"
    DISAGREES = "is not what the answer says"
    OPTIONS = "its options cannot be told apart, or give the right one away"
    GIVEN_AWAY = "the question says it"
    NO_SENTENCE = "rests on no sentence of the passage"
    SAME_POINT = "says the same as another point"
    TOO_FEW = "fewer than three points, or none that is asked for"


class Rejection(BaseModel):
    """A reason, and the details of the case (empty if there are none)."""

    model_config = ConfigDict(frozen=True)

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}" if self.detail else self.reason.value
