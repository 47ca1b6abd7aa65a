"""Stage 4, first call: the strands woven into one natural thought."""

from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field

from signatures.context import ContextAnalysis
from signatures.critique import MethodCritique
from signatures.evidence import Bearing
from signatures.hypotheses import HypothesisSet
from signatures.perspective import UserPerspective
from signatures.preamble import EARLIER

Paragraph = Annotated[str, Field(min_length=30, max_length=700)]
Move = Literal["opening", "wrong_turn", "doubt", "correction", "weighing", "conclusion"]


class QuotedEvidence(BaseModel):
    """Evidence whose quote stands in the passage."""

    claim: str
    quote: str
    bearing: Bearing


class Thought(BaseModel):
    """A thought in the order in which it happens, in paragraphs of prose."""

    opening: Annotated[list[Paragraph], Field(min_length=1, max_length=3)] = Field(
        description="what is asked, what I know, what I try first"
    )
    wrong_turn: Paragraph = Field(description="a step that seems right to me and is wrong")
    doubt: Paragraph = Field(description="the detail in the evidence that makes me stop, with its numbers")
    correction: Paragraph = Field(description="what was wrong with that step, and what is right instead")
    weighing: Annotated[list[Paragraph], Field(min_length=1, max_length=3)] = Field(
        description="other explanations, the method's weak points, how sure I can be"
    )
    conclusion: Paragraph = Field(description="where I come out, what stays open, how to put it to this person")

    def steps(self) -> list[tuple[Move, str]]:
        """The paragraphs in order, each with its place in the thought."""
        return [
            *(("opening", text) for text in self.opening),
            ("wrong_turn", self.wrong_turn),
            ("doubt", self.doubt),
            ("correction", self.correction),
            *(("weighing", text) for text in self.weighing),
            ("conclusion", self.conclusion),
        ]


class AssembleTrace(dspy.Signature):
    """Think the question through, in the first person, as a scientist does alone at a desk: plain sentences, no
    headings, no lists. Use the hypotheses, the evidence with its numbers, the critique and the person's perspective, but
    let them come up as thoughts, not as a report. Take one wrong turn that is tempting, notice from the evidence that it
    fails, and mend it. Say what you are unsure of. Do not mention sentence numbers or these instructions."""

    passage: str = dspy.InputField(desc="scientific text, one numbered sentence a line")
    question: str = dspy.InputField(desc="the question to be answered")
    asked_by: str = dspy.InputField(desc="who asks, and at which level")
    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    hypotheses: HypothesisSet = dspy.InputField(desc="competing hypotheses")
    evidence: list[QuotedEvidence] = dspy.InputField(desc="what the passage says, word for word")
    critique: MethodCritique = dspy.InputField(desc="how far the method can be trusted")
    perspective: UserPerspective = dspy.InputField(desc="the question as the person sees it")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc="what was wrong with an earlier try; mend it")
    thought: Thought = dspy.OutputField(desc="one natural thought")
