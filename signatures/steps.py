"""The step check: what the passage has to say about each step of a thought."""

from typing import Literal

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutPassage, characters

Carried = Literal["supported", "inferred", "outside", "contradicted", "no_claim"]

MOST_STEPS = 16


class StepVerdict(BaseModel):
    """Which sentence of the passage decides about a step, and how."""

    step: int = Field(ge=1, le=MOST_STEPS, description="the number of the step")
    sentence: int = Field(
        ge=0, le=9999, description="the number in brackets before the sentence that decides; 0 where none does"
    )
    reason: str = characters(5, 160, "what the sentence says about it: same direction and number, or different")
    status: Carried = Field(
        description="supported: the sentence says it; inferred: it follows, though it is not said; contradicted: the "
        "sentence differs in direction, number or negation; outside: the passage does not decide it; no_claim: the step "
        "only asks, plans or doubts"
    )


class StepVerdicts(BaseModel):
    """One verdict for each step."""

    items: list[StepVerdict] = Field(min_length=1, max_length=MOST_STEPS)


class CheckSteps(AboutPassage):
    """Check each step of a thought against the passage, as a referee who looks up every claim. Find the sentence that
    decides whether what the step says as a fact is so, by its number. Mind the direction (more or less, higher or lower),
    what is compared with what, what is negated, and every number: the same wording, reversed, is a contradiction. Judge
    the fact, not how sure or how well put it is. A step with several facts is as good as its worst."""

    steps: str = dspy.InputField(desc="the steps to check, numbered, one a line")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    checks: StepVerdicts = dspy.OutputField(desc="a verdict on each step")
