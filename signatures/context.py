"""Stage 2: what the question needs from the passage and from the reader."""

from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field

from signatures.bounds import Characters
from signatures.preamble import EARLIER

Note = Annotated[str, Characters(5, 240)]


class ContextAnalysis(BaseModel):
    """What stands between the question and a good answer."""

    relevant_sentences: Annotated[list[Annotated[int, Field(ge=1, le=9999)]], Field(min_length=1, max_length=6)] = (
        Field(description="numbers of the sentences that matter most")
    )
    reasoning_needed: Annotated[str, Characters(10, 300)] = Field(
        description="the steps of reasoning that lead to an answer"
    )
    misconceptions: Annotated[list[Note], Field(min_length=1, max_length=3)] = Field(
        description="plausible but wrong ideas that someone would have here, each as they would hold it"
    )
    missing_background: Annotated[list[Note], Field(min_length=1, max_length=3)] = Field(
        description="knowledge that is needed and not given"
    )
    depth: Literal["brief", "moderate", "thorough"] = Field(description="how deep a good answer goes for this person")


class AnalyseContext(dspy.Signature):
    """Before answering, work out what the question turns on: which sentences of the passage matter, what reasoning is
    needed, where someone would plausibly go wrong, what background is missing, and how deep the answer should go."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    analysis: ContextAnalysis = dspy.OutputField(desc="what the question needs")
