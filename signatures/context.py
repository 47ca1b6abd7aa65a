"""Stage 2: what the question needs from the passage and from the reader."""

from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters

Note = Annotated[str, characters(5, 240)]


class ContextAnalysis(BaseModel):
    """What stands between the question and a good answer."""

    relevant_sentences: list[Annotated[int, Field(ge=1, le=9999)]] = Field(
        min_length=1, max_length=6, description="numbers of the sentences that matter most"
    )
    reasoning_needed: str = characters(10, 300, "the steps of reasoning that lead to an answer")
    misconceptions: list[Note] = Field(
        min_length=1,
        max_length=3,
        description="plausible but wrong ideas that someone would have here, each as they would hold it",
    )
    missing_background: list[Note] = Field(
        min_length=1, max_length=3, description="knowledge that is needed and not given"
    )
    depth: Literal["brief", "moderate", "thorough"] = Field(description="how deep a good answer goes for this person")


class AnalyseContext(AboutQuestion):
    """Before answering, work out what the question turns on: which sentences of the passage matter, what reasoning is
    needed, where someone would plausibly go wrong, what background is missing, and how deep the answer should go."""

    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    analysis: ContextAnalysis = dspy.OutputField(desc="what the question needs")
