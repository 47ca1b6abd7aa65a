"""The types of question and the levels of who asks, without DSPy: what records hold of them is read without it."""

from enum import Enum
from typing import Literal

Difficulty = Literal["beginner", "intermediate", "advanced"]


class QuestionType(str, Enum):
    """A type of question: its name, its usual difficulty, and what such a question asks.

    A new type is a new line here; the stage, the rotation over the corpus and the document follow.
    """

    usual_difficulty: Difficulty
    asks: str

    def __new__(cls, name: str, usual_difficulty: Difficulty, asks: str) -> "QuestionType":
        member = str.__new__(cls, name)
        member._value_ = name
        member.usual_difficulty = usual_difficulty
        member.asks = asks
        return member

    CLARIFICATION = "clarification", "beginner", "what a term, quantity or step means, and why it is needed"
    CRITICAL = "critical", "intermediate", "whether a conclusion really follows, and what could undermine it"
    INTERPRETATION = "interpretation", "intermediate", "what a stated number or finding tells us, and what it does not"
    APPLICATION = "application", "intermediate", "how a method or result could be used in another situation"
    COMPARISON = (
        "comparison",
        "advanced",
        "how two methods, samples or explanations differ, and which is to be preferred",
    )
    MECHANISM = "mechanism", "advanced", "by which physical or causal process an effect comes about"
    LIMITATION = "limitation", "advanced", "which assumption or systematic effect limits the result, and how much"
