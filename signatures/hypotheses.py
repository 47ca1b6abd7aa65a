"""Stage 3, first strand: answers that could be true, and what would tell them apart."""

from typing import Annotated

import dspy
from pydantic import BaseModel, Field

from signatures.bounds import Characters
from signatures.context import ContextAnalysis
from signatures.preamble import EARLIER


class Hypothesis(BaseModel):
    """A possible answer and its test."""

    statement: Annotated[str, Characters(10, 300)] = Field(description="a specific answer that could be true")
    test: Annotated[str, Characters(10, 240)] = Field(description="what in the data would speak for it or against it")


class HypothesisSet(BaseModel):
    """Competing hypotheses."""

    hypotheses: Annotated[list[Hypothesis], Field(min_length=2, max_length=3)]


class FormHypotheses(dspy.Signature):
    """Propose two or three different answers that could be true, each with what would confirm or refute it.
    They must disagree with one another; at least one should be tempting and wrong."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    hypotheses: HypothesisSet = dspy.OutputField(desc="competing hypotheses")
