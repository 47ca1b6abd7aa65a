"""The types of question and the levels of who asks, without DSPy: what records hold of them is read without it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Difficulty = Literal["beginner", "intermediate", "advanced"]


TypeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
"""A type's name: it stands in keys and in exports."""


class QuestionType(BaseModel):
    """A type of question: its usual level, what such a question asks, and in how many words at least, since it has to bring
    the facts that an answer needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    usual_level: Difficulty
    asks: str = Field(min_length=10, max_length=300)
    fewest_words: int = Field(40, ge=10, le=80)


def _type(usual_level: Difficulty, fewest_words: int, asks: str) -> QuestionType:
    return QuestionType(usual_level=usual_level, fewest_words=fewest_words, asks=asks)


# A new type is a new line here; the stage, the rotation over the corpus and the document follow.
QUESTION_TYPES: dict[str, QuestionType] = {
    "clarification": _type("beginner", 20, "what a term, quantity or step means, and why it is needed"),
    "critical": _type("intermediate", 40, "whether a conclusion really follows, and what could undermine it"),
    "interpretation": _type("intermediate", 40, "what a stated number or finding tells us, and what it does not"),
    "application": _type("intermediate", 30, "how a method or result could be used in another situation"),
    "comparison": _type(
        "advanced", 40, "how two methods, samples or explanations differ, and which is to be preferred"
    ),
    "mechanism": _type("advanced", 20, "by which physical or causal process an effect comes about"),
    "limitation": _type("advanced", 40, "which assumption or systematic effect limits the result, and how much"),
}
"""The built-in types by name. A run's settings add their own (`programs.option_groups.PromptOptions`)."""
