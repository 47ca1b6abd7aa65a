"""Stage 1: a question of a given type, as a person could ask it."""

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutPassage, characters
from signatures.question_type import QUESTION_TYPES, Difficulty, QuestionType


class DraftQuestion(BaseModel):
    """A question as a model drafts it, with the person who asks it."""

    audience: str = characters(3, 80, "who asks, in two to six words")
    question: str = characters(
        20, 800, "the question as this person would type it, one to five sentences, with the facts it needs"
    )
    difficulty: Difficulty = Field(description="the level of the person, not of the type")

    @property
    def text(self) -> str:
        """The question on one line."""
        return " ".join(self.question.split())


ASKERS = (
    "somebody who is new to the subject and is learning it",
    "somebody who knows the basics and wants to go further",
    "somebody who works in the field and has a case of their own",
    "somebody who does this kind of work and is sceptical",
    "somebody in another profession who is affected",
    "somebody who has to decide, plan or pay",
    "somebody who read or heard about it and is curious",
    "somebody who has to explain it to others",
)
"""Who asks. If this is not drawn, nearly every asker is a student."""

CLAIMS = tuple(
    f"It states a claim, {tone}, that something {is_so} (the person's own idea, or one they came across), and asks whether "
    f"that is right. {truth}"
    for tone in ("boldly", "cautiously")
    for is_so in ("is so", "is not so")
    for truth in ('The claim is right: the answer is "yes".', 'The claim is wrong on any reading: the answer is "no".')
)
"""What the prompt says of a question that asks whether something holds. If this is not drawn, nearly every right answer is
"no", since doubts come to mind first, and cautious or negative claims get a "yes", so that one could answer unread."""

FIGURE = (
    "It asks for one figure that this person has a use for, which has to be worked out in several steps from those at "
    "hand, and does not say how; without any for that, it asks one thing."
)
ONE_THING = "It asks one thing, and for more than a yes or no."
TWO_THINGS = "It asks two things that belong together."
"""What it says of the others."""

CLAIM_SHARE, FIGURE_SHARE, TWO_THINGS_SHARE = 0.4, 0.3, 0.25
"""The shares of claims among the types that may ask whether something holds (a quarter of all questions), of figures among
the rest of the types that may ask for one, and of two things among what is left. When the writer could choose, a capable
model made claims of fifteen in sixteen questions; of those without a claim, 31 in 32 asked two things, so that 37 of 40
thoughts found that one half holds and the other does not, and none of 126 short answers was a number."""

MIN_WORDS_FOR_TWO = 40
"""The fewest words of a question that asks two things: with 20, a writer put them as in a telegram."""

MAX_QUESTION_WORDS = 120
"""The most words of a question. The number is drawn, starting from the fewest of its type; otherwise each has about 55. The
most figures in a question (one to five) was once drawn too, but then thoughts had less to work with: of eight pairs, two
blind readers preferred those without that limit in 7 and in 6."""


def describe_wanted(name: str, kind: QuestionType, asker: str, sentence: int, words: int, request: str) -> str:
    """The description of a question of type `name` for the prompt. It builds on sentence number `sentence`, so that the
    questions of a passage differ, and those of many passages are not all about the main finding."""
    # The wording of the built-in types already implies their level.
    level = "" if QUESTION_TYPES.get(name) == kind else f", usually at {kind.usual_level} level"
    return (
        f"It asks {kind.asks}{level}. It comes from {asker}, has about {words} words, and builds on sentence {sentence} "
        f"or one near it, if that suits what it asks. {request}"
    )


class AskQuestion(AboutPassage):
    """Write one question that somebody with an interest in the subject of the passage would type. That person does not
    have the passage and refers to no source: no "the paper", "the authors", "this study", "the passage", no figure, table
    or section.

    Use the asker's own words, not those in which the question is described below: what they saw, measured, were told or
    have to decide, then what they want to know. This is a person, not an examiner: they may be brief, tell a story, or
    be unsure of the terms. The asker sets the level. The question stands on its own and includes the facts and figures
    that an answer needs and would not otherwise have; a short one asks something that needs few. It does not give away
    the answer: a fact that shows a flaw or catch may stand in it, but not what the fact means. Answering it takes
    several steps of reasoning, from what the passage says and what is generally known. Where what is wanted does not go
    together, keep the kind of question and leave out what fits least."""

    given: str = dspy.InputField(desc="what the answerer will have at hand")
    wanted: str = dspy.InputField(desc="what this question should be like")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    draft: DraftQuestion = dspy.OutputField(desc="the question, and who asks it")
