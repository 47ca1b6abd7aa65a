"""Stage 1: questions that a person could ask, one of each type."""

from enum import Enum
from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field, create_model

from signatures.preamble import EARLIER

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


class DraftQuestion(BaseModel):
    """One question as a model drafts it."""

    question: Annotated[str, Field(min_length=20, max_length=400)] = Field(
        description="one or two sentences; names the object, method and numbers it is about"
    )
    difficulty: Difficulty
    audience: Annotated[str, Field(min_length=3, max_length=60)] = Field(
        description="who asks, such as 'first-year student' or 'survey scientist'"
    )


QuestionSet: type[BaseModel] = create_model(
    "QuestionSet",
    __doc__="One question of each type.",
    **{  # type: ignore[call-overload]
        kind.value: (DraftQuestion, Field(description=f"asks {kind.asks}; usually {kind.usual_difficulty}"))
        for kind in QuestionType
    },
)


class AskQuestions(dspy.Signature):
    """Write one question of each type that a curious person could ask about the science in the passage.

    The person who answers will not have the passage: each question must stand on its own and bring the facts it needs
    (what was measured, how, the numbers). Never point to a source: no "the paper", "the authors", "this study",
    "the passage", no figure, table or section. Each question asks about something different, needs several steps
    of reasoning, and can be answered from what the passage says."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    questions: QuestionSet = dspy.OutputField(desc="one question of each type")
