"""Stage 5: a judge's verdict on a trace and its answer, with the passage in view."""

from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion

Rating = Annotated[int, Field(ge=1, le=10)]
FaultIn = Literal["thought", "answer", "both", "none"]


# To add a rating, add a line here and one in programs.record_parts.Verdict.
class VerdictSheet(BaseModel):
    """What was found, then the ratings from 1 to 10."""

    fault: str = Field(
        min_length=4,
        max_length=1500,
        description="the worst fault, concretely, quoting the words at fault, in at most four sentences; "
        '"none" where you would change nothing',
    )
    fault_in: FaultIn = Field(
        description="where that fault lies, so that it can be mended there; the checks are part of the answer"
    )
    best_point: str = Field(
        min_length=4, max_length=800, description="what is done best, concretely, in one or two sentences"
    )
    reasoning_quality: Rating = Field(description="do the steps support what is concluded from them")
    accuracy: Rating = Field(
        description="does everything that is claimed, and not taken back, agree with the passage and with what is known"
    )
    coherence: Rating = Field(
        description="does one thought follow from another, and the answer from the thought, its doubts included"
    )
    answers_the_question: Rating = Field(
        description="is everything that was asked settled, for the one who asked; a good answer to another question is a 1"
    )
    rests_on_what_is_given: Rating = Field(
        description="does it use only figures and facts that could be known: at hand, generally known, or following "
        "from these; a value said to be assumed is a fault only if the outcome rests on it untested"
    )
    reads_like_thinking: Rating = Field(
        description="is it thinking as it happens, in the form that this problem needs, which stops when it is settled; "
        "not a report staged as thinking, no error planted to be corrected, no move made for show, no sign of how it was "
        "made (sentence numbers, 'the evidence says', 'hypothesis 1')"
    )
    overall: Rating = Field(description="would you train a model on it")


class JudgeTrace(AboutQuestion):
    """Judge a reasoning trace and its answer as a strict referee who has the passage at hand. Models will be trained on
    it, and its reader will have only what was at hand while thinking. Look for claims and numbers that nothing known or
    given supports, for figures that come from nowhere, for steps that do not follow, and for a question left unanswered.
    A wrong turn earns nothing: most good thinking has none. One that people really take, and that is taken back, does no
    harm; a planted one is a fault. The lengths of thought and answer were given: a short one that settles the question
    loses nothing.

    What the ratings mean, each taken by itself: 10, you would change nothing. 7, it is sound, and its faults mislead
    nobody. 6, it comes out right, though one step or sentence would mislead a reader. 4, it has one fault that matters:
    what is rated fails in one place that a reader relies on. 1, it fails on the main point: learning from it would do
    harm. The other numbers lie between these. Give overall no more than 4 if the answer is wrong, or if what it rests on
    could not be known."""

    question: str = dspy.InputField(desc="the question that was asked")
    given: str | None = dspy.InputField(
        desc="what was at hand while thinking, beside general knowledge; if missing, only the question"
    )
    thought: str = dspy.InputField(desc="the reasoning trace as used for training; if it is missing, judge the answer")
    answer: str = dspy.InputField(desc="the final answer")
    checks: str | None = dspy.InputField(
        desc="what other answers will be checked by; it is a fault of the answer if it disagrees with this answer, or "
        "holds a point that this answer misses or that a right answer need not have"
    )
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    verdict: VerdictSheet = dspy.OutputField(desc="what was found, and the ratings")
