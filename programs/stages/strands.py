"""Stages 2 and 3 as a module: the context, then four strands of reasoning at the same time."""

from dataclasses import dataclass
from typing import Any

import dspy

from programs.asking.ask import Answering, Ask, together
from programs.asking.caller import AwaitedModule, adapted
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.records import Evidence
from programs.stages.checks import MOST_COPIED
from programs.stages.questions import Question, shared_inputs
from programs.text.copying import borrowed, copied_share
from signatures.strands import (
    AnalyseContext,
    ContextAnalysis,
    CritiqueMethod,
    EvidenceSet,
    FormHypotheses,
    GatherEvidence,
    HypothesisSet,
    MethodCritique,
    TakePerspective,
    UserPerspective,
)
from signatures.thought import EvidenceClaim
from signatures.vocabulary import NOTING, Setting

STRANDS = ("hypotheses", "evidence", "critique", "perspective")
"""What is asked together, once the context is known."""


@dataclass(frozen=True)
class Strands:
    """What stages 2 and 3 found for one question."""

    analysis: ContextAnalysis
    hypotheses: HypothesisSet
    evidence: list[Evidence]
    critique: MethodCritique
    perspective: UserPerspective
    replies: dict[str, Reply]

    def evidence_for_thought(self) -> list[EvidenceClaim]:
        """The evidence that stands in the passage, as the thought is given it: without claims that are their sentence over
        again, which a small model would go on to recite."""
        found = [item for item in self.evidence if item.quote and copied_share(item.claim, item.quote) <= MOST_COPIED]
        return [EvidenceClaim.model_validate(item, from_attributes=True) for item in found]


class StrandStages(AwaitedModule):
    """Analyses the context of a question and reasons about it in four strands."""

    def __init__(self) -> None:
        super().__init__()
        self.context = dspy.Predict(AnalyseContext)
        self.hypotheses = dspy.Predict(FormHypotheses)
        self.evidence = dspy.Predict(GatherEvidence)
        self.critique = dspy.Predict(CritiqueMethod)
        self.perspective = dspy.Predict(TakePerspective)

    async def aforward(self, **fields: Any) -> dspy.Prediction:
        """Takes the fields of `AnalyseContext`, gives the outputs of the five, each asked once of the LM that DSPy has."""
        with adapted():
            context = await self.context.acall(**fields)
            given = {**fields, "analysis": context.analysis}
            found = await together(getattr(self, strand).acall(**given) for strand in STRANDS)
        strands = {name: one[name] for name, one in zip(STRANDS, found, strict=True)}
        return dspy.Prediction(analysis=context.analysis, **strands)

    async def generate(self, passage: Passage, question: Question, setting: Setting, answer: Answering) -> Strands:
        """What the five find. Raises `StageFailed` when one of the five gives nothing to go on with."""
        inputs = {**shared_inputs(passage, question), "given": NOTING[setting]}
        context = self._ask("context", passage, question, inputs)
        replies = {"context": await answer(context)}
        inputs["analysis"] = context.value_of(replies["context"])
        asks = [self._ask(strand, passage, question, inputs) for strand in STRANDS]
        replies |= zip(STRANDS, await together(map(answer, asks)), strict=True)
        values = {ask.stage: ask.value_of(replies[ask.stage]) for ask in asks}
        values["evidence"] = located(values["evidence"], passage)
        return Strands(analysis=inputs["analysis"], **values, replies=replies)

    def _ask(self, stage: str, passage: Passage, question: Question, inputs: dict[str, Any]) -> Ask:
        predict, given = getattr(self, stage), dict(inputs)

        def problems(values: list[Any]) -> list[str]:
            nowhere = _nowhere(values[-1], passage) if stage == "evidence" else []
            return [*nowhere, *borrowed(values[-1], predict, given)]

        depth = 1 if stage == "context" else 2
        return Ask(stage, f"{stage}/{passage.sample.id}/{question.type}", predict, given, depth, problems)


def located(chosen: EvidenceSet, passage: Passage) -> list[Evidence]:
    """Each chosen sentence with its words and offsets, or marked unverified; the same one twice only where it bears on the
    answer in two ways: what speaks against it must not be lost."""
    items: dict[tuple[int, str], Evidence] = {}
    for choice in chosen.items:
        place = passage.quoted(choice.sentence)
        evidence = Evidence(**choice.model_dump(), verified=bool(place), **place)
        items.setdefault((choice.sentence, choice.bearing), evidence)
    return list(items.values())


def _nowhere(chosen: EvidenceSet, passage: Passage) -> list[str]:
    if any(passage.quoted(choice.sentence) for choice in chosen.items):
        return []
    wrong = ", ".join(str(choice.sentence) for choice in chosen.items)
    return [f"no sentence is numbered {wrong}; the passage has sentences 1 to {len(passage.spans)}"]
