"""Stage 3, third strand: how far the method can be trusted."""

import dspy
from pydantic import BaseModel, Field

from signatures.context import ContextAnalysis, Note
from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters


class MethodCritique(BaseModel):
    """Strengths, weaknesses and the explanation that was not excluded."""

    strengths: list[Note] = Field(min_length=1, max_length=2, description="what the method does well")
    weaknesses: list[Note] = Field(min_length=1, max_length=3, description="what could bias or undermine the result")
    alternative: str = characters(10, 300, "another explanation that is not excluded")


class CritiqueMethod(AboutQuestion):
    """Judge how far the method behind the result can be trusted for this question; where the question is about another
    case, the method that it would need there: what it does well, what could bias it, and which other explanation is not
    excluded."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    critique: MethodCritique = dspy.OutputField(desc="how far the method can be trusted")
