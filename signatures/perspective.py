"""Stage 3, fourth strand: the person who asks."""

from typing import Annotated

import dspy
from pydantic import BaseModel, Field

from signatures.bounds import Characters
from signatures.context import ContextAnalysis, Note
from signatures.preamble import EARLIER


class UserPerspective(BaseModel):
    """What the person wants, where they will stumble, what helps."""

    wants: Annotated[str, Characters(10, 240)] = Field(description="what the person really wants to know")
    stumbling_blocks: Annotated[list[Note], Field(min_length=1, max_length=2)] = Field(
        description="where they are likely to get lost"
    )
    helpful: Annotated[str, Characters(10, 240)] = Field(
        description="an explanation, comparison or example that would help"
    )


class TakePerspective(dspy.Signature):
    """Look at the question as the person who asks it: what they really want to know, where they are likely to get
    lost, and what would help them."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    perspective: UserPerspective = dspy.OutputField(desc="the question as the person sees it")
