"""Stage 4, second call: the answer that the person gets."""

from typing import Annotated

import dspy
from pydantic import BaseModel, Field

from signatures.preamble import EARLIER


class FinalAnswer(BaseModel):
    """The answer as the person reads it."""

    text: Annotated[str, Field(min_length=40, max_length=1900)] = Field(
        description="the answer, in one to four paragraphs of prose"
    )


class WriteAnswer(dspy.Signature):
    """Answer the question for this person, from the thought. Begin with the answer itself, then give the reasons with
    their numbers, and how sure one can be. The person has no source at hand: never point to one (no "the paper", "the
    authors", "this study", "the passage", no figure, table or sentence number); state the facts themselves."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    thought: str = dspy.InputField(desc="the reasoning so far")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    answer: FinalAnswer = dspy.OutputField(desc="the answer")
