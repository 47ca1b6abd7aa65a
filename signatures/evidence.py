"""Stage 3, second strand: evidence, chosen by the number of its sentence, and so exact by construction."""

from typing import Literal

import dspy
from pydantic import BaseModel, Field

from signatures.context import ContextAnalysis
from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters

Bearing = Literal["supports", "contradicts", "qualifies"]


class ChosenEvidence(BaseModel):
    """A sentence of the passage and what it shows."""

    sentence: int = Field(ge=1, le=9999, description="the number in brackets before the sentence")
    claim: str = characters(10, 240, "what this sentence shows for the question")
    bearing: Bearing = Field(description="how it bears on the answer that seems most likely")


class EvidenceSet(BaseModel):
    """The sentences on which an answer can rest."""

    items: list[ChosenEvidence] = Field(min_length=1, max_length=5)


class GatherEvidence(AboutQuestion):
    """Choose the sentences of the passage on which an answer can rest, by their numbers, and say what each shows.
    Take different sentences; where something speaks against the obvious answer, include it."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    evidence: EvidenceSet = dspy.OutputField(desc="sentences by number, with what they show")
