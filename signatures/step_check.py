"""The step check: what the passage has to say about each step of a thought."""

from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field

from signatures.bounds import Characters
from signatures.preamble import EARLIER

Carried = Literal["supported", "inferred", "outside", "contradicted", "no_claim"]

MOST_STEPS = 16


class StepVerdict(BaseModel):
    """Which sentence of the passage decides about a step, and how."""

    step: Annotated[int, Field(ge=1, le=MOST_STEPS)] = Field(description="the number of the step")
    sentence: Annotated[int, Field(ge=0, le=9999)] = Field(
        description="the number in brackets before the sentence that decides; 0 where none does"
    )
    reason: Annotated[str, Characters(5, 160)] = Field(
        description="what the sentence says about it: the same direction, the same number, or another"
    )
    status: Carried = Field(
        description="supported: the sentence says it; inferred: it follows, though it is not said; contradicted: the "
        "sentence says otherwise, in direction, number or denial; outside: the passage does not decide it; no_claim: the "
        "step only asks, plans or doubts"
    )


class StepVerdicts(BaseModel):
    """One verdict for each step."""

    items: Annotated[list[StepVerdict], Field(min_length=1, max_length=MOST_STEPS)]


class CheckSteps(dspy.Signature):
    """Check each step of a thought against the passage, as a referee who looks up every claim. Find the sentence that
    decides whether what the step says as a fact is so, by its number. Mind the direction (more or less, higher or
    lower), what is compared with what, what is denied, and every number: the same words with another direction
    contradict. Judge the fact, not how sure or how well put it is. A step with several facts is as good as its worst."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    steps: str = dspy.InputField(desc="the steps to check, numbered, one a line")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    checks: StepVerdicts = dspy.OutputField(desc="a verdict on each step")
