"""Stage 5: a judge's verdict on a trace and its answer, with the passage in view."""

from typing import Annotated

import dspy
from pydantic import BaseModel, Field

from signatures.preamble import EARLIER

Rating = Annotated[int, Field(ge=1, le=10)]


# A new dimension is a new line here and in programs.records.VerdictRecord.
class VerdictSheet(BaseModel):
    """Ratings from 1 (useless) to 10 (could not be better), and the reason for them."""

    reason: Annotated[str, Field(min_length=10, max_length=600)] = Field(
        description="the worst fault and the best point, concretely"
    )
    reasoning_quality: Rating = Field(description="are the steps sound, is the wrong turn really noticed and mended")
    accuracy: Rating = Field(description="does everything agree with the passage and with what is known")
    coherence: Rating = Field(description="does one thought follow from another, and the answer from the thought")
    overall: Rating = Field(description="would you train a model on it")


class JudgeTrace(dspy.Signature):
    """Judge a reasoning trace and its answer as a strict referee who has the passage at hand. Look for claims and numbers
    that the passage does not bear out, steps that do not follow, and a question left unanswered. Most work deserves 4 to
    7; give 9 or 10 only where you would change nothing."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question that was asked")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    thought: str = dspy.InputField(desc="the reasoning trace")
    answer: str = dspy.InputField(desc="the final answer")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    verdict: VerdictSheet = dspy.OutputField(desc="the ratings with their reason")
