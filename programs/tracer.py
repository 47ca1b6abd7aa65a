"""The whole pipeline as one DSPy module: a text goes in, traces come out. Optimizers compile it, research code imports it.

    a sample ─► questions ─► for each question: context ─► four strands ─► for each variation:
        attempts of (trace ─► answer ─► judges) until one is accepted
        [─► tries of (own thought ─► comparison with that answer ─► judges) until one is accepted] ─► grades
      [─► blind solve of the question] [─► step checks]

Each stage awaits its replies from the `answer` function given to `Tracer.generate`: that of `Tracer.aforward` calls
DSPy's LM, the runner's looks into the journal first. What is in brackets has no predictor in the `Tracer`, so compiled
programs do not contain it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import dspy

from programs.asking.ask import AnswerAsk, gather_all
from programs.asking.caller import AsyncModule, Caller, with_default_adapter
from programs.asking.reply import Reply, StageFailed
from programs.compiled import load_program, write_program
from programs.inputs.passage import Passage
from programs.inputs.sample import Sample, sample_of
from programs.record_parts import AnswerAgreement
from programs.settings import TracerOptions
from programs.stages.grade import GradeStage, grades_of
from programs.stages.judge import JudgeStage, verdict_of
from programs.stages.questions import Question, QuestionPool, QuestionStage, type_order
from programs.stages.strands import Strands, StrandStages
from programs.stages.thought import NO_FAULTS, AttemptPlan, Draft, Faults, ThoughtStages, shape_of
from programs.traces.own_thoughts import make_own_thought
from programs.traces.trials import Trials
from programs.traces.variation import (
    Attempt,
    EarlierOutcome,
    Variation,
    VariationKey,
    faults_in,
    mark_duplicates,
    standing_of,
    temperature_of,
)
from signatures.question_type import QUESTION_TYPES, QuestionType
from signatures.stages import STAGES


class Store:
    """Looks up the outcomes of earlier runs and stores new ones. This base class knows and stores nothing; a run uses
    `programs.run.outcomes.JournalStore`."""

    def earlier_outcome(self, _key: VariationKey) -> EarlierOutcome | None:
        """The outcome of a variation in earlier runs; None if there is none."""
        return None

    def filter_questions(self, _sample: str, pool: QuestionPool) -> QuestionPool:
        """Called with a sample's questions after each batch of replies. Returns the pool without questions to leave out."""
        return pool

    def keep(self, _variation: Variation) -> None:
        """Called with each variation once it is decided."""


@dataclass
class SampleOutcome:
    """What became of a sample. `variations` are those that were decided; `limited`: the limit left some out; `failure`: a
    question type had no readable reply, so it and all later types are missing (every type if `pool` is None); `bug`: the
    error in this program that ended it."""

    pool: QuestionPool | None = None
    variations: list[Variation] = field(default_factory=list)
    limited: bool = False
    failure: StageFailed | None = None
    bug: str | None = None

    @property
    def failed(self) -> bool:
        """Whether some part of it should be tried again."""
        return bool(self.failure or self.bug) or any(variation.status == "failed" for variation in self.variations)

    @property
    def refused(self) -> bool:
        """Whether every failure is a refusal by the server, so that trying again soon is pointless."""
        failures = [self.failure, *(variation.failure for variation in self.variations if variation.status == "failed")]
        return all(failure is None or failure.reply.fault == "refused" for failure in failures)


class Tracer(AsyncModule):
    """Composes the stages. Each predictor is named after its stage and has its own signature class."""

    def __init__(
        self,
        questions: QuestionStage | None = None,
        strands: StrandStages | None = None,
        writer: ThoughtStages | None = None,
    ) -> None:
        super().__init__()
        self.questions = questions or QuestionStage()
        self.strands = strands or StrandStages()
        self.writer = writer or ThoughtStages()
        self.judge = JudgeStage()
        self.grader = GradeStage()

    async def aforward(
        self,
        text: str,
        title: str | None = None,
        domain: str | None = None,
        *,
        traces: int = 1,
        variations: int = 1,
        **options: Any,
    ) -> dspy.Prediction:
        """Makes the traces of one text with the LM that DSPy is configured with, and with its adapter or else ours.

        `options` are other fields of `programs.settings.TracerOptions`, except models: the same LM also judges, grades and
        solves. Returns a Prediction with `records` (list of `Record`, empty if nothing was accepted), `variations` and
        `pool`. Raises `BackendError` if the model cannot be reached, `StageFailed` if it refuses to write a question or its
        replies cannot be read, and ValueError if the text is empty, `options` name a model, or `traces` exceeds the number
        of question types.
        """
        if named := [name for name in options if name.endswith(("model", "_models"))]:
            raise ValueError(f"{named[0]}: the LM that DSPy is configured with answers every stage")
        if traces > len(self.questions.types):
            raise ValueError(f"traces={traces}: at most one for each of the {len(self.questions.types)} question types")
        sample = sample_of(text, title=title, domain=domain)
        if not sample.text:
            raise ValueError("the text is empty")
        lm = str(getattr(self.judge.predict.lm or dspy.settings.lm, "model", "") or "unnamed")
        options |= {"model": lm, "judge_models": [lm] if options.get("quality_check") else None}
        wanted = TracerOptions(traces_per_sample=traces, traces_per_question=variations, **options)
        with with_default_adapter():
            outcome = await self.generate(sample, wanted, Caller(strict=True).answer)
        if outcome.pool is None and outcome.failure is not None:
            raise outcome.failure
        records = [variation.record() for variation in outcome.variations if variation.accepted]
        return dspy.Prediction(records=records, variations=outcome.variations, pool=outcome.pool)

    def save(self, path: Path | str, *, model: str | None = None) -> None:
        """Writes the program for `load_tracer` as one JSON file: instructions, demonstrations, and the identity of the
        program that they were made for. It holds no pickle, no model and no key."""
        write_program(self, Path(path), model=model)

    async def generate(
        self,
        sample: Sample,
        options: TracerOptions,
        answer: AnswerAsk,
        store: Store | None = None,
        limit: int | None = None,
    ) -> SampleOutcome:
        """Makes everything that `options` ask for of one sample, with replies from `answer`. At most `limit` variations
        that are not accepted yet are made (None: all)."""
        return await SampleRun(self, Passage(sample), options, answer, store or Store()).run(limit)


def load_tracer(
    program: Path | str | None = None,
    *,
    model: str | None = None,
    question_types: Mapping[str, QuestionType] = QUESTION_TYPES,
    guidance: Mapping[str, str] = MappingProxyType({}),
) -> Tracer:
    """Returns the program for these question types, and no others, with the instructions and demonstrations of the compiled
    `program` if one is given: `programs.compiled.load_program` says which paths it takes, when it raises `UserError`, and
    that it logs a program compiled for another `model`. `guidance` has a paragraph by stage, which is appended to its
    instructions."""
    tracer = Tracer(QuestionStage(question_types))
    if program is not None:
        load_program(tracer, Path(program), model=model)
    for stage, paragraph in guidance.items():
        predictor = dict(tracer.named_predictors())[STAGES[stage].predictor]
        signature = predictor.signature
        predictor.signature = signature.with_instructions(f"{signature.instructions}\n\n{paragraph.strip()}")
    return tracer


@dataclass
class SampleRun:
    """Takes one text through the stages of a tracer. `asked` has the replies with its questions, by type."""

    tracer: Tracer
    passage: Passage
    options: TracerOptions
    answer: AnswerAsk
    store: Store
    asked: dict[str, Reply] = field(default_factory=dict)

    async def run(self, limit: int | None) -> SampleOutcome:
        pool, failure = await self._ask_questions()
        if pool is None:
            return SampleOutcome(failure=failure)
        wanted, limited = self._select(pool.questions, limit)
        made = await gather_all(self._decide_question(question, keys) for question, keys in wanted)
        return SampleOutcome(pool, [variation for variations in made for variation in variations], limited, failure)

    async def _ask_questions(self) -> tuple[QuestionPool | None, StageFailed | None]:
        """Asks for a question of one type after another, until there are as many as traces are wanted or no type is left.
        If a type has no readable reply, returns the pool of those before it (None if it is the first) and the failure."""
        stage, seed, sample = self.tracer.questions, self.options.seed, self.passage.sample.id
        missing, pool = type_order(sample, seed, stage.types), QuestionPool(questions=[], rejected=[])
        while batch := missing[: self.options.traces_per_sample - len(pool.questions)]:
            missing = missing[len(batch) :]
            asks = [stage.ask(self.passage, kind, self.options.setting, seed) for kind in batch]
            replies = await gather_all(map(self.answer, asks))
            # Questions after a missing one are dropped: they may repeat what that will be in a later run.
            readable = list(takewhile(lambda reply: reply.status != "unread", replies))
            self.asked |= zip(batch, readable, strict=False)
            if self.asked:
                pool = self.store.filter_questions(sample, stage.pool(self.passage, self.asked))
            if len(readable) < len(replies):
                return pool if self.asked else None, StageFailed("questions", replies[len(readable)])
        return pool, None

    def _select(
        self, questions: Sequence[Question], limit: int | None
    ) -> tuple[list[tuple[Question, list[VariationKey]]], bool]:
        """The variations to decide, by question, and whether the limit left some out."""
        sample, origins = self.passage.sample.id, self.options.thoughts
        indices = range(self.options.traces_per_question)
        wanted, limited = [], False
        for question in questions:
            keys = [VariationKey(sample, question.type, index, origin) for index in indices for origin in origins]
            due = {key: why for key in keys if (why := self._why_due(key)) is not None}
            new = [key for key, why in due.items() if why == "new"]
            if limit is not None:
                for key in new[limit:]:
                    del due[key]
                limit, limited = max(0, limit - len(new)), limited or len(new) > limit
            if {*due.values()} - {"beside"}:
                wanted.append((question, list(due)))
        return wanted, limited

    def _why_due(self, key: VariationKey) -> Literal["new", "again", "beside"] | None:
        """Why a variation is to be decided. new: it is not accepted; again: it is, but not settled by the present rules;
        beside: others of its question are decided, and blind solving decides all together. None: it stays as it is."""
        earlier = self.store.earlier_outcome(key)
        if earlier is None:
            return "new"
        if not earlier.decided:
            return "again" if earlier.accepted else "new"
        return "beside" if self.options.blind_solve and not earlier.fixed else None

    async def _decide_question(self, question: Question, keys: list[VariationKey]) -> list[Variation]:
        try:
            strands = await self.tracer.strands.generate(self.passage, question, self.options.setting, self.answer)
        except StageFailed as failure:
            made = [Variation(key, question, self.passage).fail(failure) for key in keys]
        else:
            strands = replace(strands, replies={**strands.replies, "questions": self.asked[question.type]})
            question = strands.question
            groups = [list(group) for _, group in groupby(keys, key=lambda key: key.variation)]
            by_index = await gather_all(self._decide_index(question, strands, group) for group in groups)
            made = [variation for variations in by_index for variation in variations]
            mark_duplicates(made, self.store.earlier_outcome)
            trials = Trials(self.options, self.answer)
            await trials.solve_blindly(made)
            await trials.check_steps(made)
        for variation in made:
            self.store.keep(variation)
        return made

    async def _decide_index(self, question: Question, strands: Strands, keys: list[VariationKey]) -> list[Variation]:
        """Makes the variations of one index. A model's own thought is compared with the answer of the written one, which is
        therefore made even if only the own thought is wanted."""
        written = Variation(keys[0]._replace(origin="written"), question, self.passage, strands)
        await self._write(written, strands)
        made = {written.key: written}
        for key in keys:
            if key.origin == "model":
                made[key] = Variation(key, question, self.passage, strands)
                await make_own_thought(made[key], written, self.options, self.answer, self._judge)
            await self._grade(made[key])
        return [made[key] for key in keys]

    async def _write(self, variation: Variation, strands: Strands) -> None:
        """Makes attempts until one is not rejected by the judges, or `max_attempts` are used up."""
        key, question, options = variation.key, variation.question, self.options
        temperature = temperature_of(key.variation, options.temperature)
        shape = shape_of(key.sample, question.type, strands.analysis.depth, key.variation, options.seed)
        faults = NO_FAULTS
        for number in range(options.max_attempts if options.quality_check else 1):
            plan = AttemptPlan(key.variation, number, temperature, shape, options.setting)
            try:
                draft = await self.tracer.writer.write(self.passage, question, strands, plan, self.answer, faults)
            except StageFailed as failure:
                variation.fail(failure)
                return
            await self._judge(variation, plan, draft)
            if variation.last.standing != "below":
                break
            verdicts = variation.last.verdicts
            faults = Faults(faults_in(verdicts, "thought"), faults_in(verdicts, "answer"), draft)
        variation.decide()

    async def _judge(
        self, variation: Variation, plan: AttemptPlan, draft: Draft, agreed: AnswerAgreement | None = None
    ) -> None:
        """Judges a draft, and adds it to the variation as an attempt."""
        options, subject = self.options, variation.key.subject(plan.name)
        view = (self.passage, variation.question, draft, subject)
        judges = options.judges if options.quality_check else ()
        asks = [self.tracer.judge.ask(*view, judge, options.setting) for judge in judges]
        replies = await gather_all(map(self.answer, asks))
        judged = {f"judge:{ask.model}": reply for ask, reply in zip(asks, replies, strict=True)}
        verdicts = [verdict_of(ask, reply) for ask, reply in zip(asks, replies, strict=True)]
        standing = standing_of(verdicts, options)
        variation.attempts.append(Attempt(plan, draft, verdicts, standing, {**draft.replies, **judged}, agreed=agreed))

    async def _grade(self, variation: Variation) -> None:
        if self.options.grader and variation.accepted:
            attempt = variation.last
            view = (self.passage, variation.question, attempt.draft, variation.subject)
            ask = self.tracer.grader.ask(*view, self.options.grader, self.options.setting)
            attempt.replies["grade"] = reply = await self.answer(ask)
            attempt.grades = grades_of(reply)
