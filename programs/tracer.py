"""The whole program: a text goes in, traces come out. A DSPy module that optimizers compile and research code imports.

    a sample ─► questions ─► for each question: context ─► four strands ─► for each variation:
        attempts of (trace ─► answer ─► judges) until one is accepted
        [─► tries of (own thought ─► comparison with that answer ─► judges) until one is accepted]
        ─► grades ─► what else is asked for (`extras`)

Each stage awaits its replies of the `answer` that `Tracer.made` is given: `Tracer.aforward` asks DSPy's LM, the runner its
journal first.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import dspy

from programs.asking.ask import Answering, together
from programs.asking.caller import AwaitedModule, Caller, adapted
from programs.asking.reply import Reply, StageFailed
from programs.compiled import identity_of, write_program
from programs.inputs.sample import Sample, sample_of
from programs.passage import Passage
from programs.records import Verdict
from programs.stages.grade import GradeStage, grades_of
from programs.stages.judge import JudgeStage, verdict_of
from programs.stages.questions import Question, QuestionPool, QuestionStage
from programs.stages.strands import Strands, StrandStages
from programs.stages.thought import FIRST_TRY, AttemptPlan, Draft, Faults, ThoughtStages, shape_of
from programs.traces.decision import QualityRules, Standing, Verdicts, calibrated, reasons_against, standing
from programs.traces.extras import Extras
from programs.traces.unit import Attempt, Known, Unit, UnitKey, drop_twins
from programs.traces.variation import temperature_of
from signatures.vocabulary import THINKING, Setting


@dataclass
class Wishes:
    """What is wanted of one sample. `known` tells what earlier runs made of a unit, `basis` by which rules the present
    one decides, `budget` how many units it may add to the accepted ones (None: no limit), `takes_sampling` whether the
    model takes a temperature. `pooled` is told of the questions and says which of them stand, `finished` is told of each
    unit as soon as it stands."""

    traces: int = 1
    variations: int = 1
    seed: int = 0
    temperature: float = 0.7
    takes_sampling: bool = True
    quality: QualityRules = field(default_factory=QualityRules)
    grader: str | None = None
    extras: Extras = field(default_factory=Extras)
    setting: Setting = "closed"
    basis: str = ""
    budget: int | None = None
    known: Callable[[UnitKey], Known | None] = lambda _key: None
    pooled: Callable[[QuestionPool], QuestionPool] = lambda pool: pool
    finished: Callable[[Unit], None] = lambda _unit: None


@dataclass
class Made:
    """What became of a sample. `units` are those that were decided; `limited`: the budget left some unmade;
    `failure`: the questions could not be asked."""

    pool: QuestionPool | None = None
    units: list[Unit] = field(default_factory=list)
    limited: bool = False
    failure: StageFailed | None = None

    @property
    def failed(self) -> bool:
        """Whether something of it is to be tried again."""
        return self.failure is not None or any(unit.status == "failed" for unit in self.units)


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

    def forward(self, text: str, title: str | None = None, domain: str | None = None, **wishes: Any) -> dspy.Prediction:
        """As `aforward`, without awaiting; in any thread."""
        return super().forward(text, title, domain, **wishes)

    async def aforward(
        self, text: str, title: str | None = None, domain: str | None = None, **wishes: Any
    ) -> dspy.Prediction:
        """Makes the traces of one text with the LM that DSPy is configured with, and its adapter or else ours.

        `wishes` are fields of `Wishes`. Gives a Prediction with `records` (list of `Record`), `units` and `pool`.
        Raises `BackendError` when the model cannot be reached or refuses, `StageFailed` when it gives no questions.
        """
        sample = sample_of(text, title=title, domain=domain)
        with adapted():
            return _prediction(await self.made(sample, Wishes(**wishes), Caller().answer))

    def save(self, path: Path | str, *, model: str | None = None, prompt_order: str | None = None) -> None:
        """Writes the program as one JSON file for `load_tracer`: instructions, demonstrations, and what they were made
        for. No pickle, no model, no key."""
        write_program(self, Path(path), identity_of(self, model=model, prompt_order=prompt_order))

    async def made(self, sample: Sample, wishes: Wishes, answer: Answering) -> Made:
        """All that is wanted of one sample, with the replies that `answer` gives."""
        passage = Passage(sample)
        reply = await answer(self.questions.ask(passage, wishes.setting, wishes.seed))
        if reply.status == "unread":
            return Made(failure=StageFailed("questions", reply))
        pool = wishes.pooled(self.questions.pool(passage, reply, wishes.seed))
        made = Made(pool=pool)
        wanted = _wanted(sample, pool.questions[: wishes.traces], wishes, made)
        results = await together(
            self._question(passage, question, keys, wishes, reply, answer) for question, keys in wanted
        )
        made.units = [unit for units in results for unit in units]
        return made

    async def _question(
        self,
        passage: Passage,
        question: Question,
        keys: list[UnitKey],
        wishes: Wishes,
        asked: Reply,
        answer: Answering,
    ) -> list[Unit]:
        try:
            strands = await self.strands.found(passage, question, answer)
            strands.replies["questions"] = asked
        except StageFailed as failure:
            units = [Unit(key, question, passage).failed(failure) for key in keys]
        else:
            groups = [list(group) for _, group in groupby(keys, key=lambda key: key.variation)]
            made = await together(
                self._variation(passage, question, strands, group, wishes, answer) for group in groups
            )
            units = [unit for several in made for unit in several]
            units = drop_twins(units, wishes.known)
            await wishes.extras.after(passage, question, units, answer)
        for unit in units:
            wishes.finished(unit)
        return units

    async def _variation(
        self,
        passage: Passage,
        question: Question,
        strands: Strands,
        keys: list[UnitKey],
        wishes: Wishes,
        answer: Answering,
    ) -> list[Unit]:
        """The units of one variation. A model's own thought goes by the answer of the written one, which is made for its
        sake where it is not wanted itself."""
        wanted = {key.thought: key for key in keys}
        key = keys[0]._replace(thought="written")
        written = await self._written(passage, question, strands, key, wishes, answer)
        units = [written] if "written" in wanted else []
        own = wishes.extras.own
        if own is not None and "model" in wanted:
            unit = Unit(key=wanted["model"], question=question, passage=passage, strands=strands)

            async def judged(draft: Draft, name: str) -> tuple[Verdicts, Standing]:
                verdicts = await self._verdicts(passage, question, draft, name, wishes, answer)
                return verdicts, standing(verdicts, wishes.quality)

            await own.think(passage, question, unit, written, answer, judged)
            units.append(unit)
        for unit in units:
            await self._grade(unit, wishes, answer)
        return units

    async def _written(
        self,
        passage: Passage,
        question: Question,
        strands: Strands,
        key: UnitKey,
        wishes: Wishes,
        answer: Answering,
    ) -> Unit:
        unit = Unit(key=key, question=question, passage=passage, strands=strands)
        faults = FIRST_TRY
        temperature = temperature_of(key.variation, wishes.temperature, wishes.takes_sampling)
        shape = shape_of(key.sample, question.type, question.difficulty, key.variation, wishes.seed)
        for number in range(wishes.quality.max_attempts if wishes.quality.check else 1):
            plan = AttemptPlan(key.variation, number, temperature, shape, wishes.setting)
            try:
                draft = await self.writer.written(passage, question, strands, plan, answer, faults)
            except StageFailed as failure:
                return unit.failed(failure)
            verdicts = await self._verdicts(passage, question, draft, key.named(plan.name), wishes, answer)
            attempt = Attempt(plan, draft, verdicts, standing(verdicts, wishes.quality))
            unit.attempts.append(attempt)
            if attempt.standing != "below":
                break
            faults = Faults(reasons_against(verdicts, "thought"), reasons_against(verdicts, "answer"), draft)
        unit.decide()
        return unit

    async def _grade(self, unit: Unit, wishes: Wishes, answer: Answering) -> None:
        if wishes.grader and unit.status == "accepted":
            last = unit.attempts[-1]
            name = unit.key.named(last.plan.name)
            ask = self.grader.ask(unit.passage, unit.question, last.draft, name, wishes.grader)
            reply = await answer(ask)
            last.grades, last.grade_reply = grades_of(reply), reply

    async def _verdicts(
        self, passage: Passage, question: Question, draft: Draft, name: str, wishes: Wishes, answer: Answering
    ) -> list[Verdict]:
        if not wishes.quality.check:
            return []
        given = THINKING[wishes.setting]
        asks = [self.judge.ask(passage, question, draft, name, judge, given) for judge in wishes.quality.judges]
        replies = await together(answer(ask) for ask in asks)
        draft.replies.update({f"judge:{ask.judge}": reply for ask, reply in zip(asks, replies, strict=True)})
        verdicts = [verdict_of(ask, reply) for ask, reply in zip(asks, replies, strict=True)]
        return [calibrated(verdict, wishes.quality) for verdict in verdicts]


def _wanted(
    sample: Sample, questions: list[Question], wishes: Wishes, made: Made
) -> list[tuple[Question, list[UnitKey]]]:
    """The units still to be decided, by question, as far as the budget goes. What was decided and is looked at again for
    the sake of a question's other variations costs nothing of it, and is not looked at where none of them can be made."""
    budget = wishes.budget
    wanted: list[tuple[Question, list[UnitKey]]] = []
    for question in questions:
        keys, fresh = [], False
        for key, known in _undecided(sample, question, wishes):
            decided = known is not None and known.decided(wishes.basis)
            if not decided and not (known and known.accepted):
                if budget is not None and budget <= 0:
                    made.limited = True
                    continue
                budget = None if budget is None else budget - 1
            fresh = fresh or not decided
            keys.append(key)
        if fresh:
            wanted.append((question, keys))
    return wanted


def _undecided(sample: Sample, question: Question, wishes: Wishes) -> list[tuple[UnitKey, Known | None]]:
    """The variations of a question that are to be decided: where one hangs on the others, all or none."""
    keys = [
        UnitKey(sample.id, question.type.value, variation, thought)
        for variation in range(wishes.variations)
        for thought in wishes.extras.thoughts
    ]
    known = [(key, wishes.known(key)) for key in keys]
    undecided = [(key, one) for key, one in known if one is None or not one.decided(wishes.basis)]
    if undecided and wishes.extras.by_question:
        return [(key, one) for key, one in known if one is None or not one.fixed]
    return undecided


def _prediction(made: Made) -> dspy.Prediction:
    if made.failure is not None:
        raise made.failure
    return dspy.Prediction(
        records=[unit.record() for unit in made.units if unit.status == "accepted"], units=made.units, pool=made.pool
    )
