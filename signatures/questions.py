"""Stage 1: questions that a person could ask, one of each type."""

import dspy
from pydantic import BaseModel, Field, create_model

from signatures.prompt import EARLIER, FEEDBACK, AboutPassage, characters
from signatures.question_type import Difficulty, QuestionType


class DraftQuestion(BaseModel):
    """One question as a model drafts it, with the person who asks it."""

    audience: str = characters(3, 80, "who asks, such as 'first-year student', 'nurse on a ward', 'survey scientist'")
    question: str = characters(
        20, 700, "the question as this person would type it, one to five sentences, with the facts it needs"
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


class AskQuestions(AboutPassage):
    """Write one question of each type that people would type who have to do with the matter of the passage, or wonder
    about it. None of them has the passage, and none speaks of a source: no "the paper", "the authors", "this study",
    "the passage", no figure, table or section.

    Put each in the words of the person who asks: what they saw, measured, were told or have to decide, then what they
    want to know. People, not examiners: some brief, some with a story, some unsure of their terms. Let them differ
    widely, and the level follow from who asks. A question stands on its own and brings the facts and figures that an
    answer needs. It does not bring the answer, nor the flaw or catch that an answer has to find. Each is about something
    different, takes several steps of reasoning, and can be answered from what the passage says and what is generally
    known."""

    given: str = dspy.InputField(desc="what an answer will have at hand")
    lean: str = dspy.InputField(desc="what is right where a question asks whether something holds")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    questions: QuestionSet = dspy.OutputField(desc="one question of each type")
