"""The blind solve: a question answered by a model that made no part of its trace, with the passage or without it."""

from typing import Annotated

import dspy
from pydantic import BaseModel, Field

from signatures.bounds import Characters
from signatures.preamble import EARLIER


class Solution(BaseModel):
    """A short answer to a question."""

    text: Annotated[str, Characters(10, 900)] = Field(
        description="the answer itself first, then what it rests on, in two to five sentences"
    )


class SolveQuestion(dspy.Signature):
    """Answer the question as well as you can, briefly and definitely: the answer itself first, then what it rests on.
    Where a passage is given, answer from it; where none is, from what you know. Commit yourself to the answer that you
    hold most likely; never ask back, and never say that you lack the source."""

    passage: str | None = dspy.InputField(desc="scientific text, one numbered sentence a line, where there is one")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    solution: Solution = dspy.OutputField(desc="the answer")
