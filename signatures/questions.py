"""Stage 1: a question that a person could ask, of a given type."""

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutPassage, characters
from signatures.question_type import QUESTION_TYPES, Difficulty, QuestionType


class DraftQuestion(BaseModel):
    """A question as a model drafts it, with the person who asks it."""

    audience: str = characters(3, 80, "who asks, in two to six words")
    question: str = characters(
        20, 700, "the question as this person would type it, one to five sentences, with the facts it needs"
    )
    difficulty: Difficulty = Field(description="the level of the person, not of the type")

    @property
    def text(self) -> str:
        """The question on one line."""
        return " ".join(self.question.split())


ASKERS = (
    "somebody who is new to the subject and learns it",
    "somebody who knows the basics and wants to go on",
    "somebody who works in the field, and whose own case it is",
    "somebody who does such work and doubts it",
    "somebody of another trade, whom the matter concerns",
    "somebody who has to decide, plan or pay",
    "somebody who read or heard about it and wonders",
    "somebody who has to explain it to others",
)
"""Who asks. Left to itself a model has nearly every question asked by a student."""

CLAIMS = tuple(
    f"It states a {tone} claim of anybody's that something {is_so}, and asks whether that is right; it {truth}."
    for tone in ("bold", "careful")
    for is_so in ("is so", "is not so")
    for truth in ('is: the answer is "yes"', 'is wrong, not only unproven: the answer is "no"')
)
"""What a question is told that asks whether something holds. What comes to mind first is to doubt, else nearly every right
answer is "no". How bold the claim is, and whether it denies something, is told too: a capable writer gave "yes" to the
careful and the denying ones, so that who had not read the question could answer it."""

NO_CLAIM = "It asks for more than a yes or no."

CLAIMED = 0.3
"""The share of questions that ask whether something holds. Told of each what such a claim was to be, a capable writer made
claims of fifteen in sixteen."""

MOST_WORDS = 100
"""Of a question. The number is drawn, from the fewest on that its type needs: left to itself a writer gives every question
some 55 words."""


def wanted(name: str, kind: QuestionType, asker: str, sentence: int, words: int, claim: str) -> str:
    """What a question of the type called `name` is to be like, as the model is told. It grows out of the passage's
    `sentence`, so that the questions of one passage differ, and those of many are not all about the main finding."""
    # What the built-in types ask shows at which level.
    level = "" if QUESTION_TYPES.get(name) == kind else f", usually at {kind.usual_level} level"
    return (
        f"It asks {kind.asks}{level}. It comes from {asker}, has about {words} words, and grows out of sentence {sentence} "
        f"or what stands near it. {claim}"
    )


class AskQuestion(AboutPassage):
    """Write one question that somebody would type who has to do with the matter of the passage, or wonders about it. That
    person does not have the passage, and speaks of no source: no "the paper", "the authors", "this study", "the passage",
    no figure, table or section.

    Put it in the words of the person who asks: what they saw, measured, were told or have to decide, then what they want to
    know. A person, no examiner: brief, or with a story, or unsure of the terms; the level follows from who asks. The
    question stands on its own and brings the facts and figures that an answer needs; one that is to be short asks what
    needs few of them. It does not bring the answer, nor the flaw or catch that an answer has to find. It takes several
    steps of reasoning, and can be answered from what the passage says and what is generally known."""

    given: str = dspy.InputField(desc="what an answer will have at hand")
    wanted: str = dspy.InputField(desc="what this question is like")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    draft: DraftQuestion = dspy.OutputField(desc="the question, and who asks it")
