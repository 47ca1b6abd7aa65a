"""Stage 1: questions that a person could ask, one of each type."""

from collections.abc import Mapping

import dspy
from pydantic import BaseModel, Field, create_model

from signatures.prompt import EARLIER, FEEDBACK, AboutPassage, characters
from signatures.question_type import QUESTION_TYPES, Difficulty, QuestionType


class DraftQuestion(BaseModel):
    """One question as a model drafts it, with the person who asks it."""

    audience: str = characters(3, 80, "who asks, such as 'first-year student', 'nurse on a ward', 'survey scientist'")
    question: str = characters(
        20, 700, "the question as this person would type it, one to five sentences, with the facts it needs"
    )
    difficulty: Difficulty = Field(description="the level of the person, not of the type")


def question_set(types: Mapping[str, QuestionType]) -> type[BaseModel]:
    """The form of a reply with a question of each of these types. None is what could not be read; the schema asks for
    all."""
    fields = {
        name: (DraftQuestion | None, Field(default=None, description=_asked(name, kind)))
        for name, kind in types.items()
    }
    made: type[BaseModel] = create_model(
        "QuestionSet",
        __doc__="One question of each type.",
        **fields,  # type: ignore[call-overload]
    )
    return made


def _asked(name: str, kind: QuestionType) -> str:
    # What the built-in types ask shows at which level: compiled programs were tuned with that alone.
    level = "" if QUESTION_TYPES.get(name) == kind else f"; usually at {kind.usual_level} level"
    return f"asks {kind.asks}{level}"


QuestionSet = question_set(QUESTION_TYPES)


LEANS = tuple(
    f"Where a question asks whether something holds, ask about a {claim} that {truth}, whoever makes it."
    for claim in ("bold claim", "careful claim, one with its limits")
    for truth in ('does hold: the right answer is "yes"', 'does not hold: the right answer is "no"')
)
"""Drawn by text, since what comes to mind first is to doubt: else nearly every right answer is "no". How bold the claim is,
is drawn with it: a capable writer gave the careful ones to "yes" and the bold ones to "no", so that the tone told."""


QUESTION_WORDS = (20, 100)
"""The fewest and most words of a question. Each number is drawn: left to itself a writer gives every question some 55."""

QUESTION_LENGTH = "{}: about {} words"
"""What is told of the length of a type's question."""


class AskQuestions(AboutPassage):
    """Write one question of each type that people would type who have to do with the matter of the passage, or wonder
    about it. None of them has the passage, and none speaks of a source: no "the paper", "the authors", "this study",
    "the passage", no figure, table or section.

    Put each in the words of the person who asks: what they saw, measured, were told or have to decide, then what they
    want to know. People, not examiners: some brief, some with a story, some unsure of their terms. Let them differ
    widely, and the level follow from who asks. A question stands on its own and brings the facts and figures that an
    answer needs; one that is to be short asks what needs few of them. It does not bring the answer, nor the flaw or catch
    that an answer has to find. Each is about something different, takes several steps of reasoning, and can be answered
    from what the passage says and what is generally known."""

    given: str = dspy.InputField(desc="what an answer will have at hand")
    lean: str = dspy.InputField(desc="what is right where a question asks whether something holds")
    lengths: str = dspy.InputField(desc="how long each question is")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    questions: QuestionSet = dspy.OutputField(desc="one question of each type")  # type: ignore[valid-type]


def asking_of(types: Mapping[str, QuestionType]) -> type[dspy.Signature]:
    """`AskQuestions` for these types."""
    if types == QUESTION_TYPES:
        return AskQuestions
    changed: type[dspy.Signature] = AskQuestions.with_updated_fields("questions", type_=question_set(types))
    return changed
