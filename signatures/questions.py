"""Stage 1: questions that a person could ask, one of each type."""

from enum import Enum
from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field, create_model

from signatures.bounds import Characters
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
    """One question as a model drafts it, with the person who asks it."""

    audience: Annotated[str, Characters(3, 80)] = Field(
        description="who asks, such as 'first-year student', 'nurse on a ward', 'survey scientist'"
    )
    question: Annotated[str, Characters(20, 700)] = Field(
        description="the question as this person would type it, one to five sentences, with the facts it needs"
    )
    difficulty: Difficulty = Field(description="the level of the person, not of the type")


# None is what could not be read; the schema asks for all.
QuestionSet: type[BaseModel] = create_model(
    "QuestionSet",
    __doc__="One question of each type.",
    **{  # type: ignore[call-overload]
        kind.value: (DraftQuestion | None, Field(default=None, description=f"asks {kind.asks}"))
        for kind in QuestionType
    },
)


LEANS = (
    'Where a question asks whether something holds, ask about something that does hold: the right answer is "yes".',
    'Where a question asks whether something holds, ask about something that does not hold: the right answer is "no".',
)
"""Drawn by text, since what comes to mind first is to doubt: else nearly every right answer is "no"."""


class AskQuestions(dspy.Signature):
    """Write one question of each type that people would type who have to do with the matter of the passage, or wonder
    about it. None of them has the passage, and none speaks of a source: no "the paper", "the authors", "this study",
    "the passage", no figure, table or section.

    Put each in the words of the person who asks: what they saw, measured, were told or have to decide, then what they
    want to know. People, not examiners: some brief, some with a story, some unsure of their terms. Let them differ
    widely, and the level follow from who asks. A question stands on its own and brings the facts and figures that an
    answer needs. It does not bring the answer, nor the flaw or catch that an answer has to find. Each is about something
    different, takes several steps of reasoning, and can be answered from what the passage says and what is generally
    known."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    given: str = dspy.InputField(desc="what an answer will have at hand")
    lean: str = dspy.InputField(desc="what is right where a question asks whether something holds")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    questions: QuestionSet = dspy.OutputField(desc="one question of each type")
