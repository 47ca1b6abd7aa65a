"""The types of question and the levels of askers. Imports no DSPy, since records that name them are read without it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Difficulty = Literal["beginner", "intermediate", "advanced"]


TypeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
"""A type's name, as used in keys and exports."""


class QuestionType(BaseModel):
    """A type of question: its usual level, what such a question asks, its fewest words (it has to include the facts that an
    answer needs), and whether it may ask if some claim is right, or for a figure."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    usual_level: Difficulty
    asks: str = Field(min_length=10, max_length=300)
    fewest_words: int = Field(40, ge=10, le=80)
    takes_claims: bool = True
    takes_figures: bool = False


# To add a type, add a line here; the stage, the rotation over the corpus and the document follow.
QUESTION_TYPES: dict[str, QuestionType] = {
    "clarification": QuestionType(
        usual_level="beginner",
        asks="what a term, quantity or step means, or what it is for",
        fewest_words=20,
        takes_claims=False,
    ),
    "critical": QuestionType(
        usual_level="intermediate", asks="whether a conclusion really follows, or what could undermine it"
    ),
    "interpretation": QuestionType(
        usual_level="intermediate", asks="what a stated number or finding really tells us", takes_figures=True
    ),
    "application": QuestionType(
        usual_level="intermediate",
        asks="how a method or result could be used in another situation",
        fewest_words=30,
        takes_claims=False,
        takes_figures=True,
    ),
    "comparison": QuestionType(
        usual_level="advanced",
        asks="how two methods, samples or explanations differ, or which is preferable",
        takes_figures=True,
    ),
    "mechanism": QuestionType(
        usual_level="advanced", asks="what physical or causal process produces an effect", fewest_words=20
    ),
    "limitation": QuestionType(
        usual_level="advanced",
        asks="how far a result can be relied on, or how much an assumption or a systematic effect may change it",
        takes_claims=False,
        takes_figures=True,
    ),
}
"""The built-in types by name. A run's settings can add others (`programs.option_groups.TypeOptions`)."""
