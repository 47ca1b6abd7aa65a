"""Stages 2 and 3 as a module: the context, then four strands of reasoning in parallel."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import dspy
from pydantic import BaseModel

from programs.asking.ask import AnswerAsk, Ask, gather_all
from programs.asking.caller import AsyncModule, with_default_adapter
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.record_parts import Evidence
from programs.stages.checks import recites
from programs.stages.questions import Question, question_problems, shared_inputs
from programs.text.copying import borrowing_problems
from programs.text.words import texts_in
from signatures.stages import STRANDS
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
from signatures.vocabulary import NOTING, Setting

NotesT = TypeVar("NotesT", bound=BaseModel)


@dataclass(frozen=True)
class Strands:
    """What stages 2 and 3 found for one question about the text `source`. `question` is that question, completed if it
    lacked something."""

    source: str
    question: Question
    analysis: ContextAnalysis
    hypotheses: HypothesisSet
    evidence: list[Evidence]
    critique: MethodCritique
    perspective: UserPerspective
    replies: Mapping[str, Reply]

    @cached_property
    def for_thought(self) -> dict[str, Any]:
        """The notes that the thought stage gets, by input name. Of the verified evidence they have what it shows, without
        its words. Texts that repeat the source are left out, since a small model would go on to recite it, and so are the
        analysis and the perspective: a thought that is told how to solve the question and how to put it retells that."""
        claims = (evidence.claim for evidence in self.evidence if evidence.quote)
        return {
            "hypotheses": without_recited_notes(self.hypotheses, self.source),
            "evidence": [claim for claim in claims if not recites(claim, self.source)],
            "critique": without_recited_notes(self.critique, self.source),
        }

    @cached_property
    def seen(self) -> str:
        """All that a thought can know of the source if it is not in view: the notes, as one text."""
        return "\n".join(texts_in(self.for_thought))


def without_recited_notes(notes: NotesT, source: str) -> NotesT:
    """Notes without the texts that repeat `source`."""
    kept = {name: _without_recited(part, source) for name, part in notes}
    return notes.model_construct(**{name: part for name, part in kept.items() if part is not None})


def _without_recited(part: Any, source: str) -> Any:
    if isinstance(part, str):
        return None if recites(part, source) else part
    if isinstance(part, list):
        return [kept for each in part if (kept := _without_recited(each, source)) is not None]
    return without_recited_notes(part, source) if isinstance(part, BaseModel) else part


class StrandStages(AsyncModule):
    """Analyses the context of a question and reasons about it in four strands."""

    def __init__(self) -> None:
        super().__init__()
        self.context = dspy.Predict(AnalyseContext)
        self.hypotheses = dspy.Predict(FormHypotheses)
        self.evidence = dspy.Predict(GatherEvidence)
        self.critique = dspy.Predict(CritiqueMethod)
        self.perspective = dspy.Predict(TakePerspective)

    async def aforward(self, **fields: Any) -> dspy.Prediction:
        """Takes the fields of `AnalyseContext` and returns the outputs of all five stages, each asked once of DSPy's LM."""
        with with_default_adapter():
            context = await self.context.acall(**fields)
            fields.pop("completing", None)
            given = {**fields, "analysis": context.analysis.analysis}
            predictions = await gather_all(getattr(self, strand).acall(**given) for strand in STRANDS)
        strands = {name: prediction[name] for name, prediction in zip(STRANDS, predictions, strict=True)}
        return dspy.Prediction(analysis=context.analysis, **strands)

    async def generate(self, passage: Passage, question: Question, setting: Setting, answer: AnswerAsk) -> Strands:
        """Asks all five stages. Raises `StageFailed` if one of them has no usable reply."""
        inputs = {**shared_inputs(passage, question), "given": NOTING[setting]}
        context = self._ask("context", passage, question, {**inputs, "completing": COMPLETING[setting]})
        replies = {"context": await answer(context)}
        analysed: AnalysedQuestion = context.value_of(replies["context"])
        question = complete_question(question, analysed.full_question, passage, setting)
        inputs |= {"question": question.text, "analysis": analysed.analysis}
        asks = [self._ask(strand, passage, question, inputs) for strand in STRANDS]
        replies |= zip(STRANDS, await gather_all(map(answer, asks)), strict=True)
        values = {ask.stage: ask.value_of(replies[ask.stage]) for ask in asks}
        values["evidence"] = locate_evidence(values["evidence"], passage)
        return Strands(passage.sample.text, question, analysed.analysis, **values, replies=replies)

    def _ask(self, stage: str, passage: Passage, question: Question, inputs: dict[str, Any]) -> Ask:
        predict, given = getattr(self, stage), dict(inputs)

        def problems(values: list[Any]) -> list[str]:
            borrowed = borrowing_problems(values[-1], predict, given)
            if stage == "evidence":
                return [*_missing_sentences(values[-1], passage), *borrowed]
            if given.get("completing") and values[-1].full_question and len(values) == 1:
                # Only the first try: a completion that is still unusable is dropped, and the question stays as it was.
                whole = question_problems(values[-1].full_question, passage.sample.text)
                return [*(f"full_question: {problem.detail}" for problem in whole), *borrowed]
            return borrowed

        subject = (passage.sample.id, question.type)
        return Ask(stage=stage, subject=subject, predict=predict, inputs=given, check=problems)


def complete_question(question: Question, full: str, passage: Passage, setting: Setting) -> Question:
    """The question with the facts that its answer depends on, if the passage is not in view; unchanged if the completion
    adds nothing or cannot be used."""
    text = " ".join(full.split())
    if setting == "open" or len(text) <= len(question.text) or question_problems(text, passage.sample.text):
        return question
    return question.model_copy(update={"text": text})


def locate_evidence(chosen: EvidenceSet, passage: Passage) -> list[Evidence]:
    """Each chosen sentence with its words and offsets, or marked unverified; each claim about a sentence once."""
    items: dict[tuple[int, str], Evidence] = {}
    for choice in chosen.items:
        place = passage.quoted(choice.sentence)
        evidence = Evidence(**choice.model_dump(), verified=bool(place), **place)
        items.setdefault((choice.sentence, choice.claim), evidence)
    return list(items.values())


def _missing_sentences(chosen: EvidenceSet, passage: Passage) -> list[str]:
    if any(passage.quoted(choice.sentence) for choice in chosen.items):
        return []
    wrong = ", ".join(str(choice.sentence) for choice in chosen.items)
    return [f"no sentence is numbered {wrong}; the passage has sentences 1 to {len(passage.spans)}"]
