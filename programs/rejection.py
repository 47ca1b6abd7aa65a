"""Why a question, a variation, a short answer or a rubric was rejected."""

from enum import Enum

from pydantic import BaseModel, ConfigDict


class Reason(str, Enum):
    """The kinds of reasons. The values are stored in journals and shown in reports."""

    UNUSABLE = "unusable"
    """Every reply of a stage failed its checks. The detail starts with the name of the stage."""
    UNANSWERED = "unanswered"
    """No reply of a stage could be read, or the server failed. A later run asks again."""
    JUDGED = "rejected by the judges"
    UNJUDGED = "no judge gave a score"
    NEED = "excluded by --keep"
    OWN_THOUGHT = "no thought of the model's own was accepted"
    SAME_VARIATION = "the same as another variation"
    BENCHMARK = "leaks a benchmark question"
    REPEATED = "repeats a question about another text"
    SAME_QUESTION = "repeats another question about its text"
    REFERS_TO_SOURCE = "refers to its source"
    ARTEFACT = "shows how it was made"
    NOTHING_ASKED = "contains no question"
    OFF_SUBJECT = "is not about the passage"
    FORM = "not in the requested form"
    UNREADABLE = "unreadable"
    UNIT = "unknown unit"
    UNSTATED = "a figure that is neither given nor derived"
    DISAGREES = "differs from the answer"
    OPTIONS = "options are too alike, or reveal the right one"
    IN_QUESTION = "already stated in the question"
    NO_SENTENCE = "not based on a sentence of the passage"
    SAME_POINT = "repeats another point"
    TOO_FEW = "fewer than three points, or no positive one"

    @classmethod
    def _missing_(cls, value: object) -> "Reason | None":
        """The reason that versions before 0.4 stored as `value`."""
        return cls[_OLD_VALUES[value]] if value in _OLD_VALUES else None


_OLD_VALUES: dict[object, str] = {
    "turned down by the judges": "JUDGED",
    "not the need that is kept": "NEED",
    "no own thought was taken": "OWN_THOUGHT",
    "gives a benchmark away": "BENCHMARK",
    "was asked of another text": "REPEATED",
    "asks the same as another of its text": "SAME_QUESTION",
    "leans on its source": "REFERS_TO_SOURCE",
    "asks nothing": "NOTHING_ASKED",
    "not in the form asked for": "FORM",
    "cannot be read": "UNREADABLE",
    "its unit is not known": "UNIT",
    "a figure that neither passage nor question gives and nothing works out": "UNSTATED",
    "is not what the answer says": "DISAGREES",
    "its options cannot be told apart, or give the right one away": "OPTIONS",
    "the question says it": "IN_QUESTION",
    "rests on no sentence of the passage": "NO_SENTENCE",
    "says the same as another point": "SAME_POINT",
    "fewer than three points, or none that is asked for": "TOO_FEW",
}


class Rejection(BaseModel):
    """A reason, and the details of the case."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    reason: Reason
    detail: str = ""
    """Empty if there are none."""

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}" if self.detail else self.reason.value
