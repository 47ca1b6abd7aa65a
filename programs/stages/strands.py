"""Stages 2 and 3 as a module: the context, then four strands of reasoning at the same time."""

from dataclasses import dataclass
from typing import Any

import dspy
from pydantic import BaseModel

from programs.asking.calling import Caller
from programs.asking.module import AwaitedModule, adapted
from programs.asking.plan import Answering, Ask, Check, Reply, accept_all, together, value_of
from programs.passage import Passage
from programs.stages.questions import Question, shared_inputs
from programs.text.copying import borrowed
from signatures.context import AnalyseContext, ContextAnalysis
from signatures.critique import CritiqueMethod, MethodCritique
from signatures.evidence import Bearing, EvidenceSet, GatherEvidence
from signatures.hypotheses import FormHypotheses, HypothesisSet
from signatures.perspective import TakePerspective, UserPerspective
from signatures.thought import QuotedEvidence


class Evidence(BaseModel):
    """A sentence of the passage that bears on the question.

    Verified: `quote` is `text[start:end]` of the sample. Unverified: the model named a sentence that is not there;
    quote and place are None, and no stage uses it.
    """

    claim: str
    bearing: Bearing
    sentence: int
    verified: bool
    quote: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Analysed:
    """What stages 2 and 3 found for one question."""

    analysis: ContextAnalysis
    hypotheses: HypothesisSet
    evidence: list[Evidence]
    critique: MethodCritique
    perspective: UserPerspective
    replies: dict[str, Reply]

    def quoted(self) -> list[QuotedEvidence]:
        """The evidence that stands in the passage, as the assembly is given it."""
        return [
            QuotedEvidence(claim=item.claim, quote=item.quote, bearing=item.bearing)
            for item in self.evidence
            if item.quote is not None
        ]


class StrandStages(AwaitedModule):
    """Analyses the context of a question and reasons about it in four strands."""

    def __init__(self) -> None:
        super().__init__()
        self.context = dspy.Predict(AnalyseContext)
        self.hypotheses = dspy.Predict(FormHypotheses)
        self.evidence = dspy.Predict(GatherEvidence)
        self.critique = dspy.Predict(CritiqueMethod)
        self.perspective = dspy.Predict(TakePerspective)

    async def aforward(self, passage: Passage, question: Question) -> dspy.Prediction:
        """Gives the fields of `Analysed`, by the LM that DSPy is configured with. Raises what `analysed` and
        `Caller.answer` raise."""
        with adapted():
            return dspy.Prediction(**vars(await self.analysed(passage, question, Caller().answer)))

    async def analysed(self, passage: Passage, question: Question, answer: Answering) -> Analysed:
        """What the five find. Raises `StageFailed` when one of the five gives nothing to go on with."""

        def ask(stage: str, depth: int, check: Check = accept_all, **more: Any) -> Ask:
            predict: dspy.Predict = getattr(self, stage)
            inputs = {**shared_inputs(passage, question), **more}
            return Ask(
                stage=stage,
                key=f"{stage}/{passage.sample.id}/{question.type.value}",
                predict=predict,
                inputs=inputs,
                depth=depth,
                check=lambda values: [*check(values), *borrowed(values[-1], predict, inputs)],
            )

        first = ask("context", 1)
        first_reply = await answer(first)
        analysis = value_of(first, first_reply)
        strands = [
            ask("hypotheses", 2, analysis=analysis),
            ask("evidence", 2, lambda values: _nowhere(values[-1], passage), analysis=analysis),
            ask("critique", 2, analysis=analysis),
            ask("perspective", 2, analysis=analysis),
        ]
        replies = await together(answer(strand) for strand in strands)
        hypotheses, chosen, critique, perspective = map(value_of, strands, replies)
        by_stage = {ask.stage: reply for ask, reply in zip([first, *strands], [first_reply, *replies], strict=True)}
        return Analysed(analysis, hypotheses, located(chosen, passage), critique, perspective, by_stage)


def located(chosen: EvidenceSet, passage: Passage) -> list[Evidence]:
    """Each chosen sentence with its words and offsets, or marked unverified; the same sentence only once."""
    items: dict[int, Evidence] = {}
    for choice in chosen.items:
        quote = passage.sentence(choice.sentence)
        evidence = Evidence(
            claim=choice.claim, bearing=choice.bearing, sentence=choice.sentence, verified=quote is not None
        )
        if quote is not None:
            span = passage.spans[choice.sentence - 1]
            evidence = evidence.model_copy(update={"quote": quote, "start": span.start, "end": span.end})
        items.setdefault(choice.sentence, evidence)
    return list(items.values())


def _nowhere(chosen: EvidenceSet, passage: Passage) -> list[str]:
    if any(passage.sentence(choice.sentence) is not None for choice in chosen.items):
        return []
    wrong = ", ".join(str(choice.sentence) for choice in chosen.items)
    return [f"no sentence is numbered {wrong}; the passage has sentences 1 to {len(passage.spans)}"]
