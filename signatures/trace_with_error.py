"""Stage 4, first call, with `--seed-error`: the strands woven into a thought that finds a seeded wrong step."""

from typing import Annotated, Literal

import dspy
from pydantic import Field

from signatures.context import ContextAnalysis
from signatures.critique import MethodCritique
from signatures.hypotheses import HypothesisSet
from signatures.perspective import UserPerspective
from signatures.preamble import EARLIER
from signatures.trace import QuotedEvidence, Thought

MendingMove = Literal["doubt", "correction", "weighing", "conclusion"]
"""The parts of a thought that come after its wrong turn."""


class MendedThought(Thought):
    """A thought in the order in which it happens, and which of the steps that it was given had to be taken back."""

    wrong_step: Annotated[int, Field(ge=1, le=3)] = Field(description="number of the given step that is wrong")
    mended_in: MendingMove = Field(description="the part above in which that step is taken back")


class AssembleTraceWithError(dspy.Signature):
    """Think the question through, in the first person, as a scientist does alone at a desk: plain sentences, no
    headings, no lists. You have already taken the given steps, and one of them is wrong; the passage tells which. Make
    that step your wrong turn, as if it were right, and keep its key words. Stop at what in the evidence does not fit it.
    Then say plainly that it was wrong and why, and what holds instead. The other steps may come up wherever they help.
    Use the hypotheses, the evidence with its numbers, the critique and the person's perspective, but let them come up as
    thoughts, not as a report. Say what you are unsure of. Do not mention step or sentence numbers or these
    instructions."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    hypotheses: HypothesisSet = dspy.InputField(desc="competing hypotheses")
    evidence: list[QuotedEvidence] = dspy.InputField(desc="what the passage says, word for word")
    critique: MethodCritique = dspy.InputField(desc="how far the method can be trusted")
    perspective: UserPerspective = dspy.InputField(desc="the question as the person sees it")
    steps: str = dspy.InputField(desc="steps already taken, numbered; one of them is wrong")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    mended: MendedThought = dspy.OutputField(desc="one natural thought")
