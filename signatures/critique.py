"""Stage 3, third strand: how far the method can be trusted."""

from typing import Annotated

import dspy
from pydantic import BaseModel, Field

from signatures.bounds import Characters
from signatures.context import ContextAnalysis, Note
from signatures.preamble import EARLIER


class MethodCritique(BaseModel):
    """Strengths, weaknesses and the explanation that was not excluded."""

    strengths: Annotated[list[Note], Field(min_length=1, max_length=2)] = Field(description="what the method does well")
    weaknesses: Annotated[list[Note], Field(min_length=1, max_length=3)] = Field(
        description="what could bias or undermine the result"
    )
    alternative: Annotated[str, Characters(10, 300)] = Field(description="another explanation that is not excluded")


class CritiqueMethod(dspy.Signature):
    """Judge how far the method behind the result can be trusted for this question; where the question is about another
    case, the method that it would need there: what it does well, what could bias it, and which other explanation is not
    excluded."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    critique: MethodCritique = dspy.OutputField(desc="how far the method can be trusted")
