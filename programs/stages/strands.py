"""Stages 2 and 3 as a module: the context, then four strands of reasoning at the same time."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import dspy
from pydantic import BaseModel

from programs.asking.ask import Answering, Ask, together
from programs.asking.caller import AwaitedModule, adapted
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.records import Evidence
from programs.stages.checks import recites
from programs.stages.questions import Question, problems_of, shared_inputs
from programs.text.copying import borrowed
from programs.text.words import texts_in
from signatures.strands import (
    COMPLETING,
    AnalyseContext,
    AnalysedQuestion,
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


NotesT = TypeVar("NotesT", bound=BaseModel)


@dataclass(frozen=True)
class Strands:
    """What stages 2 and 3 found for one question about the `source`, a text: `question` is that question, completed where
    it lacked something."""

    source: str
    question: Question
    analysis: ContextAnalysis
    hypotheses: HypothesisSet
    evidence: list[Evidence]
    critique: MethodCritique
    perspective: UserPerspective
    replies: dict[str, Reply]

    @cached_property
    def for_thought(self) -> dict[str, Any]:
        """The notes as the thought is given them, by the names of its inputs: of the evidence that stands in the passage
        what it shows, and nothing that is the source over again, which a small model would go on to recite. The analysis
        says how the question is solved, and the perspective how to put it: with these a thought retells what it was
        told."""
        claims = [EvidenceClaim.model_validate(item, from_attributes=True) for item in self.evidence if item.quote]
        return {
            "hypotheses": in_own_words(self.hypotheses, self.source),
            "evidence": [evidence for evidence in claims if not recites(evidence.claim, self.source)],
            "critique": in_own_words(self.critique, self.source),
        }

    @cached_property
    def seen(self) -> str:
        """What of the source a thought can know where the source is not at hand: the notes, as one text."""
        return "\n".join(texts_in(self.for_thought))


def in_own_words(notes: NotesT, source: str) -> NotesT:
    """Notes without the texts that are `source` over again."""
    kept = {name: _in_own_words(part, source) for name, part in notes}
    return notes.model_construct(**{name: part for name, part in kept.items() if part is not None})


def _in_own_words(part: Any, source: str) -> Any:
    if isinstance(part, str):
        return None if recites(part, source) else part
    if isinstance(part, list):
        return [own for each in part if (own := _in_own_words(each, source)) is not None]
    return in_own_words(part, source) if isinstance(part, BaseModel) else part


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
            fields.pop("completing", None)
            given = {**fields, "analysis": context.analysis.analysis}
            found = await together(getattr(self, strand).acall(**given) for strand in STRANDS)
        strands = {name: one[name] for name, one in zip(STRANDS, found, strict=True)}
        return dspy.Prediction(analysis=context.analysis, **strands)

    async def generate(self, passage: Passage, question: Question, setting: Setting, answer: Answering) -> Strands:
        """What the five find. Raises `StageFailed` when one of the five gives nothing to go on with."""
        inputs = {**shared_inputs(passage, question), "given": NOTING[setting]}
        context = self._ask("context", passage, question, {**inputs, "completing": COMPLETING[setting]})
        replies = {"context": await answer(context)}
        found: AnalysedQuestion = context.value_of(replies["context"])
        question = completed(question, found.full_question, passage, setting)
        inputs |= {"question": question.text, "analysis": found.analysis}
        asks = [self._ask(strand, passage, question, inputs) for strand in STRANDS]
        replies |= zip(STRANDS, await together(map(answer, asks)), strict=True)
        values = {ask.stage: ask.value_of(replies[ask.stage]) for ask in asks}
        values["evidence"] = located(values["evidence"], passage)
        return Strands(passage.sample.text, question, found.analysis, **values, replies=replies)

    def _ask(self, stage: str, passage: Passage, question: Question, inputs: dict[str, Any]) -> Ask:
        predict, given = getattr(self, stage), dict(inputs)

        def problems(values: list[Any]) -> list[str]:
            found = borrowed(values[-1], predict, given)
            if stage == "evidence":
                return [*_nowhere(values[-1], passage), *found]
            if given.get("completing") and values[-1].full_question and len(values) == 1:
                # One that cannot be used the second time either costs no trace: the question stands as it was.
                whole = problems_of(values[-1].full_question, passage.sample.text)
                return [*(f"full_question: {problem.detail}" for problem in whole), *found]
            return found

        depth = 1 if stage == "context" else 2
        return Ask(stage, f"{stage}/{passage.sample.id}/{question.type}", predict, given, depth, problems)


def completed(question: Question, full: str, passage: Passage, setting: Setting) -> Question:
    """The question with the facts that its answer turns on, where those are not at hand otherwise; as it was where nothing
    was added, or nothing that can be used."""
    text = " ".join(full.split())
    if setting == "open" or len(text) <= len(question.text) or problems_of(text, passage.sample.text):
        return question
    return question.model_copy(update={"text": text})


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
