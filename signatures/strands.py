"""Stages 2 and 3: the strands of reasoning about a question. The context comes first, then the other four together.

Evidence is chosen by the number of its sentence, and so exact by construction.
"""

from typing import Annotated, Literal

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters
from signatures.vocabulary import Depth

Note = Annotated[str, characters(5, 240)]
Bearing = Literal["supports", "contradicts", "qualifies"]


class NotesOnQuestion(AboutQuestion):
    """A stage that makes notes for the thought."""

    given: str = dspy.InputField(desc="what whoever thinks and answers has at hand")


class ContextAnalysis(BaseModel):
    """What stands between the question and a good answer."""

    relevant_sentences: list[Annotated[int, Field(ge=1, le=9999)]] = Field(
        min_length=1, max_length=6, description="numbers of the sentences that matter most"
    )
    reasoning_needed: str = characters(10, 300, "the steps of reasoning that lead to an answer")
    misconceptions: list[Note] = Field(
        min_length=1,
        max_length=3,
        description="plausible but wrong ideas that someone would have here, each as they would hold it",
    )
    missing_background: list[Note] = Field(
        min_length=1, max_length=3, description="knowledge that is needed and not given"
    )
    depth: Depth = Field(description="how deep a good answer goes for this person")


class AnalyseContext(NotesOnQuestion):
    """Before answering, work out what the question turns on: which sentences of the passage matter, what reasoning is
    needed, where someone would plausibly go wrong, what background is missing, and how deep the answer should go."""

    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    analysis: ContextAnalysis = dspy.OutputField(desc="what the question needs")


class Hypothesis(BaseModel):
    """A possible answer and its test."""

    statement: str = characters(10, 300, "a specific answer that could be true")
    test: str = characters(10, 240, "what in the data would speak for it or against it")


class HypothesisSet(BaseModel):
    """Competing hypotheses."""

    hypotheses: list[Hypothesis] = Field(min_length=2, max_length=3)


class FormHypotheses(NotesOnQuestion):
    """Propose two or three different answers that could be true, each with what would confirm or refute it.
    They must disagree with one another; at least one should be tempting and wrong. Where it is asked what something is or
    how something is done, they are the ideas that different people have of it, and what each would lead them to do."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    hypotheses: HypothesisSet = dspy.OutputField(desc="competing hypotheses")


class ChosenEvidence(BaseModel):
    """A sentence of the passage and what it shows."""

    sentence: int = Field(ge=1, le=9999, description="the number in brackets before the sentence")
    claim: str = characters(10, 240, "what this sentence shows for the question")
    bearing: Bearing = Field(
        description="how it bears on the right answer: supports it, speaks against it, or sets it a limit"
    )


class EvidenceSet(BaseModel):
    """The sentences on which an answer can rest."""

    items: list[ChosenEvidence] = Field(min_length=1, max_length=5)


class GatherEvidence(NotesOnQuestion):
    """Choose the sentences of the passage on which an answer can rest, by their numbers, and say what each shows.
    Take different sentences; where something speaks against the obvious answer, include it."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    evidence: EvidenceSet = dspy.OutputField(desc="sentences by number, with what they show")


class MethodCritique(BaseModel):
    """Strengths, weaknesses and the explanation that was not excluded."""

    strengths: list[Note] = Field(min_length=1, max_length=2, description="what the method does well")
    weaknesses: list[Note] = Field(min_length=1, max_length=3, description="what could bias or undermine the result")
    alternative: str = characters(10, 300, "another explanation that is not excluded")


class CritiqueMethod(NotesOnQuestion):
    """Judge how far the method behind the result can be trusted for this question: what it does well, what could bias it,
    and which other explanation is not excluded. Where the question is about another case, judge the method that it would
    need there; where it is about no result, the usual explanation: what it gets right, and where it misleads."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    critique: MethodCritique = dspy.OutputField(desc="how far the method can be trusted")


class UserPerspective(BaseModel):
    """What the person wants, where they will stumble, what helps."""

    wants: str = characters(10, 240, "what the person really wants to know")
    stumbling_blocks: list[Note] = Field(min_length=1, max_length=2, description="where they are likely to get lost")
    helpful: str = characters(10, 240, "an explanation, comparison or example that would help")


class TakePerspective(NotesOnQuestion):
    """Look at the question as the person who asks it: what they really want to know, where they are likely to get
    lost, and what would help them."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    perspective: UserPerspective = dspy.OutputField(desc="the question as the person sees it")
