"""Stage 3, fourth strand: the person who asks."""

import dspy
from pydantic import BaseModel, Field

from signatures.context import ContextAnalysis, Note
from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters


class UserPerspective(BaseModel):
    """What the person wants, where they will stumble, what helps."""

    wants: str = characters(10, 240, "what the person really wants to know")
    stumbling_blocks: list[Note] = Field(min_length=1, max_length=2, description="where they are likely to get lost")
    helpful: str = characters(10, 240, "an explanation, comparison or example that would help")


class TakePerspective(AboutQuestion):
    """Look at the question as the person who asks it: what they really want to know, where they are likely to get
    lost, and what would help them."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    perspective: UserPerspective = dspy.OutputField(desc="the question as the person sees it")
