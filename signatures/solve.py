"""The blind solve: a question answered by a model that made no part of its trace, with the passage or without it."""

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, characters
from signatures.vocabulary import Agreement


class Solution(BaseModel):
    """A short answer to a question."""

    text: str = characters(10, 900, "the answer itself first, then what it rests on, in two to five sentences")


class SolveQuestion(dspy.Signature):
    """Answer the question as well as you can, briefly and definitely: the answer itself first, then what it rests on.
    Where a passage is given, answer from it; where none is, from what you know. Commit to the answer you think most
    likely; never reply with a question, and never say that you lack the source."""

    passage: str | None = dspy.InputField(desc="scientific text, one numbered sentence per line, where there is one")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at what level")
    ending: str | None = dspy.InputField(desc="how the answer has to end, where that is said")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    solution: Solution = dspy.OutputField(desc="the answer")


class AnswerComparison(BaseModel):
    """How one answer stands to another, and why."""

    reason: str = characters(10, 400, "the main claim of each, and where they differ")
    agreement: Agreement = Field(
        description="equivalent: the same main claim, numbers included, in whatever words; partial: a part of it, or too "
        "vague to tell; contradicts: another main claim, or no answer"
    )


# The passage is left out on purpose: what is compared are two answers, not an answer and the truth.
class CompareAnswers(dspy.Signature):
    """Say whether the other answer makes the same main claim as the reference, as an answer to the question. Wording,
    length and added detail do not matter; a different number, direction, cause or conclusion does. Do not ask which of
    the two is right, and do not give credit for sounding alike."""

    question: str = dspy.InputField(desc="the question that was asked")
    asked_by: str = dspy.InputField(desc="who asks, and at what level")
    reference: str = dspy.InputField(desc="the answer to compare with")
    other: str = dspy.InputField(desc="the answer that is compared")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    comparison: AnswerComparison = dspy.OutputField(desc="how the two compare")
