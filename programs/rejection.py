"""Why something was not taken: a question, an attempt, a variation, a text, or what an answer is checked by."""

from enum import Enum

from pydantic import BaseModel, ConfigDict


class Reason(str, Enum):
    """The kinds of reasons, as journal, index, report and exports name them."""

    UNUSABLE = "unusable"
    """A stage's replies failed its checks at every try; the detail names the stage first."""
    UNANSWERED = "unanswered"
    """No try of a stage could be read, or the server failed; asked again by a later run."""
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
    """One reason, and what the case in hand adds to it (an empty string: nothing)."""

    model_config = ConfigDict(frozen=True)

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}" if self.detail else self.reason.value
