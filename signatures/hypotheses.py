"""Stage 3, first strand: answers that could be true, and what would tell them apart."""

import dspy
from pydantic import BaseModel, Field

from signatures.context import ContextAnalysis
from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters


class Hypothesis(BaseModel):
    """A possible answer and its test."""

    statement: str = characters(10, 300, "a specific answer that could be true")
    test: str = characters(10, 240, "what in the data would speak for it or against it")


class HypothesisSet(BaseModel):
    """Competing hypotheses."""

    hypotheses: list[Hypothesis] = Field(min_length=2, max_length=3)


class FormHypotheses(AboutQuestion):
    """Propose two or three different answers that could be true, each with what would confirm or refute it.
    They must disagree with one another; at least one should be tempting and wrong."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    hypotheses: HypothesisSet = dspy.OutputField(desc="competing hypotheses")
