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


def _type(
    usual_level: Difficulty,
    asks: str,
    fewest_words: int = 40,
    *,
    takes_claims: bool = True,
    takes_figures: bool = False,
) -> QuestionType:
    return QuestionType(
        usual_level=usual_level,
        fewest_words=fewest_words,
        asks=asks,
        takes_claims=takes_claims,
        takes_figures=takes_figures,
    )


# To add a type, add a line here; the stage, the rotation over the corpus and the document follow.
QUESTION_TYPES: dict[str, QuestionType] = {
    "clarification": _type(
        "beginner", "what a term, quantity or step means, or what it is for", 20, takes_claims=False
    ),
    "critical": _type("intermediate", "whether a conclusion really follows, or what could undermine it"),
    "interpretation": _type("intermediate", "what a stated number or finding really tells us", takes_figures=True),
    "application": _type(
        "intermediate",
        "how a method or result could be used in another situation",
        30,
        takes_claims=False,
        takes_figures=True,
    ),
    "comparison": _type(
        "advanced", "how two methods, samples or explanations differ, or which is preferable", takes_figures=True
    ),
    "mechanism": _type("advanced", "what physical or causal process produces an effect", 20),
    "limitation": _type(
        "advanced",
        "which assumption or systematic effect limits a result, or by how much",
        takes_claims=False,
        takes_figures=True,
    ),
}
"""The built-in types by name. A run's settings can add others (`programs.option_groups.TypeOptions`)."""
