"""The whole program: a text goes in, traces come out. A DSPy module that optimizers compile and research code imports.

    a sample ─► questions ─► for each question: context ─► four strands ─► for each variation:
        attempts of (trace ─► answer ─► judges) until one is accepted
        [─► tries of (own thought ─► comparison with that answer ─► judges) until one is accepted] ─► grades
      [─► blind solve of the question] [─► step checks]

Each stage awaits its replies of the `answer` that `Tracer.made` is given: `Tracer.aforward` asks DSPy's LM, the runner its
journal first. What is in brackets has no predictor in the `Tracer`: a compiled program holds what every run asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import dspy

from programs.asking.ask import Answering, together
from programs.asking.caller import AwaitedModule, Caller, adapted
from programs.asking.reply import Reply, StageFailed
from programs.compiled import load_program, write_program
from programs.inputs.passage import Passage
from programs.inputs.sample import Sample, sample_of
from programs.option_groups import GuidedStage
from programs.records import Agreed
from programs.settings import TracerOptions
from programs.stages.grade import GradeStage, grades_of
from programs.stages.judge import JudgeStage, verdict_of
from programs.stages.questions import Question, QuestionPool, QuestionStage, type_order
from programs.stages.strands import Strands, StrandStages
from programs.stages.thought import FIRST_TRY, AttemptPlan, Draft, Faults, ThoughtStages, shape_of
from programs.traces.own_thoughts import think
from programs.traces.trials import Trials
from programs.traces.variation import (
    Attempt,
    EarlierOutcome,
    Variation,
    VariationKey,
    drop_twins,
    reasons_against,
    standing,
    temperature_of,
)
from signatures.question_type import QUESTION_TYPES, QuestionType

GUIDED: dict[GuidedStage, str] = {
    "questions": "questions.predict",
    "context": "strands.context",
    "hypotheses": "strands.hypotheses",
    "evidence": "strands.evidence",
    "critique": "strands.critique",
    "perspective": "strands.perspective",
    "trace": "writer.trace",
    "answer": "writer.answer",
    "judge": "judge.predict",
    "grade": "grader.predict",
}
"""The predictors of the stages that guidance can be given for."""


class Store:
    """What is known beside the texts, and where outcomes go. As it stands nothing is known and nothing kept; a run's is
    `programs.run.outcomes.JournalStore`."""

    def earlier(self, _key: VariationKey) -> EarlierOutcome | None:
        """What earlier runs made of a variation; None: nothing."""
        return None

    def asked(self, _sample: str, pool: QuestionPool) -> QuestionPool:
        """Is told of the questions of a sample, which were asked just now, and says which of them stand."""
        return pool

    def keep(self, _variation: Variation) -> None:
        """Is told of each variation as soon as it stands."""


@dataclass
class SampleOutcome:
    """What became of a sample. `variations` are those that were decided; `limited`: the limit left some unmade; `failure`:
    a question was asked for in vain, so that those of later types are missing (`pool` None: all are); `bug`: an error in
    this program ended it."""

    pool: QuestionPool | None = None
    variations: list[Variation] = field(default_factory=list)
    limited: bool = False
    failure: StageFailed | None = None
    bug: str | None = None

    @property
    def failed(self) -> bool:
        """Whether something of it is to be tried again."""
        return bool(self.failure or self.bug) or any(variation.status == "failed" for variation in self.variations)

    @property
    def refused(self) -> bool:
        """Whether all of that was refused, so that trying it again soon is no use."""
        failures = [self.failure, *(variation.failure for variation in self.variations if variation.status == "failed")]
        return all(failure is None or failure.reply.fault == "refused" for failure in failures)


class Tracer(AwaitedModule):
    """Composes the stages. Its predictors are named by their stages, and each has a signature class of its own."""

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
        """Makes the traces of one text with the LM that DSPy is configured with, and its adapter or else ours.

        `options` are other fields of `programs.settings.TracerOptions`, but for models: the one LM also judges, grades and
        solves. Gives a Prediction with `records` (list of `Record`, empty where nothing was accepted), `variations` and
        `pool`. Raises `BackendError` when the model cannot be reached, `StageFailed` when it refuses to give a question or
        says nothing that can be read, ValueError for a model among the options, and for more traces than there are
        question types.
        """
        if named := [name for name in options if name.endswith(("model", "_models"))]:
            raise ValueError(f"{named[0]}: the LM that DSPy is configured with does everything here")
        if traces > len(self.questions.types):
            raise ValueError(f"{traces} traces of a text need as many question types")
        sample = sample_of(text, title=title, domain=domain)
        lm = str(getattr(self.judge.predict.lm or dspy.settings.lm, "model", "") or "unnamed")
        options |= {"model": lm, "judge_models": [lm] if options.get("quality_check") else None}
        wanted = TracerOptions(traces_per_sample=traces, traces_per_question=variations, **options)
        with adapted():
            made = await self.made(sample, wanted, Caller(strict=True).answer)
        if made.pool is None and made.failure is not None:
            raise made.failure
        records = [variation.record() for variation in made.variations if variation.accepted]
        return dspy.Prediction(records=records, variations=made.variations, pool=made.pool)

    def save(self, path: Path | str, *, model: str | None = None) -> None:
        """Writes the program as one JSON file for `load_tracer`: instructions, demonstrations, and what they were made
        for. No pickle, no model, no key."""
        write_program(self, Path(path), model=model)

    async def made(
        self,
        sample: Sample,
        options: TracerOptions,
        answer: Answering,
        store: Store | None = None,
        limit: int | None = None,
    ) -> SampleOutcome:
        """All that is wanted of one sample, with the replies that `answer` gives. At most `limit` variations are added to
        the accepted ones (None: any number)."""
        return await SampleRun(self, Passage(sample), options, answer, store or Store()).sample(limit)


def load_tracer(
    program: Path | str | None = None,
    *,
    model: str | None = None,
    question_types: Mapping[str, QuestionType] = QUESTION_TYPES,
    guidance: Mapping[GuidedStage, str] = MappingProxyType({}),
) -> Tracer:
    """The program for these question types: as it is without `program`, else with the instructions and demonstrations of a
    compiled one (`programs.compiled.load_program`, which says what it may be, logs that it is another `model`'s and raises
    `UserError`). `guidance` has paragraphs by stage, which follow the instructions, compiled or not."""
    tracer = Tracer(QuestionStage(question_types))
    if program is not None:
        load_program(tracer, Path(program), model=model)
    for stage, paragraph in guidance.items():
        predictor = dict(tracer.named_predictors())[GUIDED[stage]]
        signature = predictor.signature
        predictor.signature = signature.with_instructions(f"{signature.instructions}\n\n{paragraph.strip()}")
    return tracer


@dataclass
class SampleRun:
    """The way of one text through the stages of a tracer. `asked` are the replies about its questions, by their types."""

    tracer: Tracer
    passage: Passage
    options: TracerOptions
    answer: Answering
    store: Store
    asked: dict[str, Reply] = field(default_factory=dict)

    async def sample(self, limit: int | None) -> SampleOutcome:
        pool, failure = await self._pool()
        if pool is None:
            return SampleOutcome(failure=failure)
        wanted, limited = self._wanted(pool.questions, limit)
        made = await together(self._question(question, keys) for question, keys in wanted)
        return SampleOutcome(pool, [variation for several in made for variation in several], limited, failure)

    async def _pool(self) -> tuple[QuestionPool | None, StageFailed | None]:
        """Asks for questions of one type after another, until as many stand as traces are wanted, or no type is left. Where
        no model answers, those before it stand, and the failure comes with them."""
        stage, seed, sample = self.tracer.questions, self.options.seed, self.passage.sample.id
        missing, pool = type_order(sample, seed, stage.types), QuestionPool(questions=[], rejected=[])
        while batch := missing[: self.options.traces_per_sample - len(pool.questions)]:
            missing = missing[len(batch) :]
            asks = [stage.ask(self.passage, kind, self.options.setting, seed) for kind in batch]
            replies = await together(map(self.answer, asks))
            # A question behind one that is missing may repeat what that will ask.
            read = list(takewhile(lambda reply: reply.status != "unread", replies))
            self.asked |= zip(batch, read, strict=False)
            if self.asked:
                pool = self.store.asked(sample, stage.pool(self.passage, self.asked))
            if len(read) < len(replies):
                return pool if self.asked else None, StageFailed("questions", replies[len(read)])
        return pool, None

    def _wanted(
        self, questions: Sequence[Question], limit: int | None
    ) -> tuple[list[tuple[Question, list[VariationKey]]], bool]:
        """The variations to be decided, by question, as far as the limit goes, and whether that left some out."""
        sample, thoughts, indices = (
            self.passage.sample.id,
            self.options.thoughts,
            range(self.options.traces_per_question),
        )
        wanted, limited = [], False
        for question in questions:
            keys = [VariationKey(sample, question.type, index, thought) for index in indices for thought in thoughts]
            due = {key: why for key in keys if (why := self._due(key)) is not None}
            new = [key for key, why in due.items() if why == "new"]
            if limit is not None:
                for key in new[limit:]:
                    del due[key]
                limit, limited = max(0, limit - len(new)), limited or len(new) > limit
            if {*due.values()} - {"beside"}:
                wanted.append((question, list(due)))
        return wanted, limited

    def _due(self, key: VariationKey) -> Literal["new", "again", "beside"] | None:
        """Why a variation is to be decided: it may be one more that is accepted, one that was is decided again, or, since
        blind solving decides about a question's variations together, others are. None: it stays as it is."""
        earlier = self.store.earlier(key)
        if earlier is None:
            return "new"
        if not earlier.decided:
            return "again" if earlier.accepted else "new"
        return "beside" if self.options.blind_solve and not earlier.fixed else None

    async def _question(self, question: Question, keys: list[VariationKey]) -> list[Variation]:
        try:
            found = await self.tracer.strands.generate(self.passage, question, self.options.setting, self.answer)
        except StageFailed as failure:
            made = [Variation(key, question, self.passage).failed(failure) for key in keys]
        else:
            found.replies["questions"] = self.asked[question.type]
            question = found.question
            groups = [list(group) for _, group in groupby(keys, key=lambda key: key.variation)]
            several = await together(self._variation(question, found, group) for group in groups)
            made = [variation for group in several for variation in group]
            drop_twins(made, self.store.earlier)
            trials = Trials(self.options, self.answer)
            await trials.solve_blindly(made)
            await trials.check_steps(made)
        for variation in made:
            self.store.keep(variation)
        return made

    async def _variation(self, question: Question, found: Strands, keys: list[VariationKey]) -> list[Variation]:
        """Those of one index. A model's own thought goes by the answer of the written one, which is made for its sake where
        it is not wanted itself."""
        written = Variation(keys[0]._replace(thought="written"), question, self.passage, found)
        await self._write(written, found)
        made = {written.key: written}
        for key in keys:
            if key.thought == "model":
                made[key] = Variation(key, question, self.passage, found)
                await think(made[key], written, self.options, self.answer, self._judge)
            await self._grade(made[key])
        return [made[key] for key in keys]

    async def _write(self, variation: Variation, found: Strands) -> None:
        """Attempts until one is accepted."""
        key, question, options = variation.key, variation.question, self.options
        temperature = temperature_of(key.variation, options.temperature)
        shape = shape_of(
            key.sample, question.type, question.difficulty, found.analysis.depth, key.variation, options.seed
        )
        faults = FIRST_TRY
        for number in range(options.max_attempts if options.quality_check else 1):
            plan = AttemptPlan(key.variation, number, temperature, shape, options.setting)
            try:
                draft = await self.tracer.writer.written(self.passage, question, found, plan, self.answer, faults)
            except StageFailed as failure:
                variation.failed(failure)
                return
            await self._judge(variation, plan, draft)
            if variation.last.standing != "below":
                break
            verdicts = variation.last.verdicts
            faults = Faults(reasons_against(verdicts, "thought"), reasons_against(verdicts, "answer"), draft)
        variation.decide()

    async def _judge(self, variation: Variation, plan: AttemptPlan, draft: Draft, agreed: Agreed | None = None) -> None:
        """Adds an attempt to a variation, with the verdicts on it."""
        options, name = self.options, variation.key.named(plan.name)
        view = (self.passage, variation.question, draft, name)
        judges = options.judges if options.quality_check else ()
        asks = [self.tracer.judge.ask(*view, judge, options.setting) for judge in judges]
        replies = await together(map(self.answer, asks))
        draft.replies.update({f"judge:{ask.judge}": reply for ask, reply in zip(asks, replies, strict=True)})
        verdicts = [verdict_of(ask, reply) for ask, reply in zip(asks, replies, strict=True)]
        variation.attempts.append(Attempt(plan, draft, verdicts, standing(verdicts, options), agreed=agreed))

    async def _grade(self, variation: Variation) -> None:
        if self.options.grader and variation.accepted:
            draft = variation.last.draft
            view = (self.passage, variation.question, draft, variation.name)
            ask = self.tracer.grader.ask(*view, self.options.grader, self.options.setting)
            draft.replies["grade"] = await self.answer(ask)
            variation.last.grades = grades_of(draft.replies["grade"])
