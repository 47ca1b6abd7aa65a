"""Stages 2 and 3: the context of a question, then four strands of reasoning about it in parallel.

Evidence is chosen by sentence number, so that its quotes are exact by construction.
"""

from typing import Annotated

import dspy
from pydantic import BaseModel, Field

from signatures.prompt import EARLIER, FEEDBACK, AboutQuestion, characters, max_accepted_length
from signatures.vocabulary import Depth, Setting

Note = Annotated[str, characters(5, 240)]


class NotesOnQuestion(AboutQuestion):
    """A stage that makes notes before the thought."""

    given: str = dspy.InputField(desc="what is at hand for thinking and answering")


class ContextAnalysis(BaseModel):
    """What stands between the question and a good answer."""

    relevant_sentences: list[Annotated[int, Field(ge=1, le=9999)]] = Field(
        min_length=1, max_length=6, description="numbers of the sentences that matter most"
    )
    reasoning_needed: str = characters(
        10, 400, "the steps of reasoning that lead to an answer, without their results; which step is unsure, if one is"
    )
    misconceptions: list[Note] = Field(
        min_length=1,
        max_length=3,
        description="plausible but wrong ideas that people like the asker may have, each in their words",
    )
    missing_background: list[Note] = Field(
        min_length=1, max_length=3, description="what one has to know of the field, beyond what is given"
    )
    depth: Depth = Field(description="how thorough an answer this person needs")


COMPLETING: dict[Setting, str | None] = {
    "closed": (
        "An answer cannot use what the passage found. Where one result of the passage would make a right "
        "answer different or clearly surer, write the question again with it and its figure, if it has one, mentioned in "
        "passing among the facts, as this person would who had seen, measured, been told or read it. Add forty words "
        "at most, and leave all else as it is, word for word. Do not say what the result shows. Leave out one that is "
        "itself the flaw, the remedy or the answer, or that follows from the question, and leave out background, "
        "details of method and tests of significance: only a reader of the text would bring them up. Where no result "
        "would do that, leave it empty."
    ),
    "open": None,
}
"""How the analysis completes a question if the passage is not in view. Told to add up to three findings that bear on the
answer, a writer overstuffed the questions; told to add them only if the answer would otherwise be wrong, it added none."""


class AnalysedQuestion(ContextAnalysis):
    """The analysis, and the question as it is asked from then on."""

    full_question: str = Field(
        default="",
        max_length=max_accepted_length(1000),
        description="the whole question again, with what it lacks, if that is asked for; else empty",
        json_schema_extra={"maxLength": 1000},
    )

    @property
    def analysis(self) -> ContextAnalysis:
        """The analysis alone."""
        return ContextAnalysis.model_validate(self.model_dump(exclude={"full_question"}))


class AnalyseContext(NotesOnQuestion):
    """Before answering, work out what the question depends on: which sentences of the passage matter, what reasoning is
    needed, where people easily go wrong, what background is missing, and how thorough the answer should be."""

    completing: str | None = dspy.InputField(desc="when to write the question again, and how")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    analysis: AnalysedQuestion = dspy.OutputField(desc="what the question needs")


class Hypothesis(BaseModel):
    """A possible answer and its test."""

    statement: str = characters(10, 300, "a specific answer")
    test: str = characters(10, 240, "what would count for or against it")


class HypothesisSet(BaseModel):
    """Competing hypotheses."""

    hypotheses: list[Hypothesis] = Field(min_length=2, max_length=3)


class FormHypotheses(NotesOnQuestion):
    """Propose two or three different answers that sensible people could give, each with what would confirm or refute
    it. They must disagree with one another, if only in what weighs most, and at least one should be tempting but wrong;
    do not say which, and give them in no order. Leave out what nobody competent would hold: two will do. Where the
    answer is certain, the other is a mistake that people really make. If the question asks what something is or how to
    do it, give the ideas that different people have of it, each with what speaks for or against it."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    hypotheses: HypothesisSet = dspy.OutputField(desc="competing hypotheses")


class ChosenEvidence(BaseModel):
    """A sentence of the passage and what it shows."""

    sentence: int = Field(ge=1, le=9999, description="the number in brackets before the sentence")
    claim: str = characters(10, 240, "what this sentence states or bounds that bears on the question")


class EvidenceSet(BaseModel):
    """The sentences on which an answer can rest."""

    # Told that there may be none, the built-in model gave none where it had given several.
    items: list[ChosenEvidence] = Field(min_length=1, max_length=5)


class GatherEvidence(NotesOnQuestion):
    """Choose the sentences of the passage that bear on a right answer, by their numbers, and say what each shows. They
    may show what the question does not give: a right answer has to agree with them, unless they are about a case that
    differs. Include one that speaks against the obvious answer if one really does. One sentence may be enough: a
    definition, an analogy or a detail is no evidence unless the answer turns on it."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    evidence: EvidenceSet = dspy.OutputField(desc="sentences by number, with what they show")


class MethodCritique(BaseModel):
    """Strengths, weaknesses and the best other explanation."""

    strengths: list[Note] = Field(
        min_length=0, max_length=2, description="what it does well or gets right; none that is mere praise"
    )
    weaknesses: list[Note] = Field(
        min_length=1, max_length=3, description="what could bias or undermine it, or mislead"
    )
    alternative: str = characters(10, 300, "another explanation or option that is still likely, or why none is")


class CritiqueMethod(NotesOnQuestion):
    """Judge how far the method behind the result can be trusted for this question: what it does well, what could bias it,
    and whether another explanation is still likely. If the question is about another case, judge the method needed
    there; if no result is involved, judge the usual explanation: what it gets right, and where it misleads."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    critique: MethodCritique = dspy.OutputField(desc="how far the method can be trusted")


class UserPerspective(BaseModel):
    """What the person wants, where they will stumble, what helps."""

    wants: str = characters(10, 240, "what the person really wants to know")
    stumbling_blocks: list[Note] = Field(min_length=1, max_length=2, description="where they are likely to get lost")
    helpful: str = characters(
        10, 240, "what would help most: the fact that is missing, a sum worked out, or a comparison"
    )


class TakePerspective(NotesOnQuestion):
    """Look at the question from the side of the person who asks: what they really want to know, where they are likely to
    get lost, and what would help them."""

    analysis: ContextAnalysis = dspy.InputField(desc="what the question needs")
    earlier: str | None = dspy.InputField(desc=EARLIER)
    feedback: str | None = dspy.InputField(desc=FEEDBACK)
    perspective: UserPerspective = dspy.OutputField(desc="the question as the person sees it")
