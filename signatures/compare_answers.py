"""The blind solve: whether an answer says the same as the final answer of a trace."""

from typing import Annotated

import dspy
from pydantic import BaseModel, Field

from signatures.bounds import Characters
from signatures.preamble import EARLIER
from signatures.vocabulary import Agreement


class AnswerComparison(BaseModel):
    """How one answer stands to another, and why."""

    reason: Annotated[str, Characters(10, 400)] = Field(description="the main claim of each, and where they part")
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
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    reference: str = dspy.InputField(desc="the answer to compare with")
    other: str = dspy.InputField(desc="the answer that is compared")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    comparison: AnswerComparison = dspy.OutputField(desc="how the two stand to each other")
