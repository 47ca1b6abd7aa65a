"""The trials of traces: another model answers the question, with or without the passage, and its answer is compared with
the trace's; and a model checks each step of a thought against the passage."""

from typing import Literal

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutPassage, characters
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


# The passage is left out on purpose: an answer is compared with another answer, not with the truth.
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


StepStatus = Literal["supported", "inferred", "outside", "contradicted", "no_claim"]

MAX_STEPS = 16


class StepVerdict(BaseModel):
    """Which sentence of the passage decides about a step, and how."""

    step: int = Field(ge=1, le=MAX_STEPS, description="the number of the step")
    sentence: int = Field(
        ge=0, le=9999, description="the number in brackets before the sentence that decides; 0 where none does"
    )
    reason: str = characters(5, 160, "what the sentence says about it: same direction and number, or different")
    status: StepStatus = Field(
        description="supported: the sentence says it; inferred: it follows, though it is not said; contradicted: the "
        "sentence differs in direction, number or negation; outside: the passage does not decide it; no_claim: the step "
        "only asks, plans or doubts"
    )


class StepVerdicts(BaseModel):
    """One verdict for each step."""

    items: list[StepVerdict] = Field(min_length=1, max_length=MAX_STEPS)


class CheckSteps(AboutPassage):
    """Check each step of a thought against the passage, as a referee who looks up every claim. Find the sentence that
    decides whether what the step says as a fact is so, by its number. Mind the direction (more or less, higher or lower),
    what is compared with what, what is negated, and every number: the same wording, reversed, is a contradiction. Judge
    the fact, not how sure or how well put it is. A step with several facts is as good as its worst."""

    steps: str = dspy.InputField(desc="the steps to check, numbered, one a line")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    checks: StepVerdicts = dspy.OutputField(desc="a verdict on each step")
