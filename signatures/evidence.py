"""Stage 3, second strand: evidence, chosen by the number of its sentence, and so exact by construction."""

from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field

from signatures.bounds import Characters
from signatures.context import ContextAnalysis
from signatures.preamble import EARLIER

Bearing = Literal["supports", "contradicts", "qualifies"]


class ChosenEvidence(BaseModel):
    """A sentence of the passage and what it shows."""

    sentence: Annotated[int, Field(ge=1, le=9999)] = Field(description="the number in brackets before the sentence")
    claim: Annotated[str, Characters(10, 240)] = Field(description="what this sentence shows for the question")
    bearing: Bearing = Field(description="how it bears on the answer that seems most likely")


class EvidenceSet(BaseModel):
    """The sentences on which an answer can rest."""

    items: Annotated[list[ChosenEvidence], Field(min_length=1, max_length=5)]


class GatherEvidence(dspy.Signature):
    """Choose the sentences of the passage on which an answer can rest, by their numbers, and say what each shows.
    Take different sentences; where something speaks against the obvious answer, include it."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    evidence: EvidenceSet = dspy.OutputField(desc="sentences by number, with what they show")
