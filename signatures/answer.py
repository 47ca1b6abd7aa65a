"""Stage 4, second call: the answer that the person gets, with a short form and a rubric to check other answers by."""

from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters
from signatures.strands import UserPerspective
from signatures.vocabulary import Depth, YesOrNo

Option = Annotated[str, characters(1, 160)]


ANSWER_WORDS: dict[Depth, tuple[int, int]] = {"brief": (60, 120), "moderate": (100, 220), "thorough": (160, 320)}
"""The fewest and most words of an answer, by its depth. The number is drawn; otherwise nearly every answer has the most."""

ANSWER_LENGTH = "The answer has about {} words."

CLAIM_LENGTHS = tuple(
    "If the short form is a choice, state its claims plainly, without a reason or a 'but', and of similar length; where "
    f"that costs no padding, the right one is {rank}."
    for rank in ("the longest", "the second longest", "the second shortest", "the shortest")
)
"""One is drawn: if the right claim always had the same rank, a model rewarded for choices would learn the rank. Left to
choose, capable writers made 9 of 13 right claims longer, or shorter, than all four wrong ones."""

ANSWER_ENDS = (
    "It ends with the last of its reasons; each doubt stands beside what it concerns.",
    "It ends with what this person can now do, expect or believe; each doubt stands beside what it concerns.",
    "It ends with a doubt if one is left that this person has to know of; else with the last of its reasons.",
)
"""One is drawn; otherwise nearly every answer ends with a caveat."""


class ShortForm(BaseModel):
    """The answer in a form that can be checked."""

    kind: Literal["number", "choice", "yes_no", "term", "none"] = Field(
        description="number: one figure; yes_no: the question asks whether something holds; term: a name; choice: one of "
        "several claims that people might make is right; none: no single claim sums it up, as with advice, a plan, or a "
        "cause that is not established; of two questions, the first counts if it can be checked alone"
    )
    answer: str = Field(
        default="",
        max_length=480,
        description="the figure, the right claim, yes or no, or the name; empty for none",
        json_schema_extra={"maxLength": 160},
    )
    unit: str = Field(default="", max_length=40, description="for a number, its unit; empty for a count or a ratio")
    others: list[Option] = Field(
        default_factory=list,
        min_length=0,
        max_length=4,
        description="for a choice, 3 wrong claims that answer the same question and that sensible people could hold, none "
        "that the thought leaves open (if the question asks for what matters most, something that matters less is wrong). "
        "Each is the right claim with something else in the place of what decides it (another direction, size, cause or "
        "condition), in the same form, of the lengths asked for, as exact, as moderate and as conditional: without the "
        "question, each could be right. For a term, other names for it",
    )


class Point(BaseModel):
    """A point of the rubric."""

    kind: Literal["fact", "step", "pitfall"] = Field(description="pitfall: what a right answer must not say")
    text: str = characters(10, 160, "what it says, in half a sentence")
    weight: int = Field(ge=1, le=3, description="how much it matters")
    sentence: int = Field(
        ge=0, le=9999, description="the number of the sentence it rests on; 0: the question, or what is known"
    )


class FinalAnswer(BaseModel):
    """The answer as the person reads it."""

    text: str = characters(40, 1900, "the answer, in one to four paragraphs of prose")
    yes_or_no: YesOrNo | None = Field(
        default=None,
        description="the answer in one word, if the question asks whether something holds; neither: it asks something "
        "else, or one cannot say",
    )
    # The fields below have defaults, so that an unreadable one does not cost the answer.
    short: ShortForm | None = Field(default=None, description="the answer in a form that can be checked")
    rubric: list[Point] = Field(
        default_factory=list,
        max_length=6,
        description="points by which any answer is graded, however it is worded: what a right answer needs or "
        "avoids, with what is at hand, not the route that this one took; a figure only if every right answer must have it",
        json_schema_extra={"minItems": 3},
    )


class WriteAnswer(AboutQuestion):
    """Answer every part of the question for this person, in line with the thought. Begin with the answer itself, then
    give what supports it: the step that decides, with its reason, the other points that the thought rests on, and the
    few numbers that it turns on, so that the reader can see where they come from. A number that the thought assumed
    stays out, unless the answer turns on it; then say that it is assumed. Keep to the length and the ending given
    below. Where something is in doubt say so there, and how much; what is certain needs no hedge. Be no surer than the
    thought and its figures: a range stays a range, a chance keeps its condition, a rule its exceptions, a difference
    that was not found is not an equality, and a doubt or condition that it found and did not settle belongs in the
    answer more than an illustration or a further figure does. Use what is at hand and what the thought worked out, but
    correct its slips, and leave out a step that does not follow; add nothing important that the thought lacks, except a
    warning that this person needs. Write about the subject, not about where it is written: no "the paper", "the
    authors", "this study", no figure, table or sentence number, no hypotheses by number. Then give the means to check
    other answers."""

    given: str = dspy.InputField(desc="what is at hand while answering")
    thought: str = dspy.InputField(desc="the reasoning so far")
    perspective: UserPerspective = dspy.InputField(desc="the question as the person sees it")
    misconceptions: list[str] = dspy.InputField(desc="wrong ideas that people may have here")
    extent: str = dspy.InputField(
        desc="how long the answer is and how it ends, and how long the claims of a choice are"
    )
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    answer: FinalAnswer = dspy.OutputField(desc="the answer")
