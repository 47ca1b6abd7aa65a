"""Tuning the stages that write: from the settings of a compilation to the folder with the compiled program."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import dspy
from rich.console import Console

from optimize.costs import proof_calls, runs_within, share_of, tuning_calls
from optimize.feedback import Feedback
from optimize.job import Bill, Job, Load, Optimizer
from optimize.measure import Measure, Measured, Measuring, OptimizerMetric, StageMeasure
from optimize.models import Models, table_of
from optimize.optimizers import OPTIMIZERS
from optimize.proof import Proof, measure_all, prove
from optimize.recording.recorder import Recorder
from optimize.report import Report, facts_of, hash_of, verdict, write_report
from optimize.settings import RUNS_A_BUDGET, CompileSettings
from optimize.splits import Splits, split
from optimize.stages import STAGES, WRITERS
from optimize.student import Student
from optimize.workplace import workplace
from programs.asking.calling import options_of
from programs.asking.models import concurrency_of, passage_chars_of
from programs.asking.tries import TryRules
from programs.compiled.identity import identity_of, write_program
from programs.compiled.load import load_tracer
from programs.errors import FatalError, UserError
from programs.inputs.papers import source_key
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.tracer import Tracer

MOST_EXAMPLES, MOST_TESTS = 24, 60
"""Texts to train on, as many to choose by, and sources of the proof, when nothing is said."""

SIDES = ("train", "val", "test")

FEW_SOURCES = 20
"""Below so many sources of the proof the report warns."""

log = logging.getLogger("synthreasoner")


@dataclass(frozen=True)
class Course:
    """A compilation that is about to begin: `runs` for each of `stages`, on these texts."""

    settings: CompileSettings
    optimizer: Optimizer
    splits: Splits[Sample]
    tracer: Tracer
    runs: int
    concurrency: int

    @property
    def judging(self) -> int:
        """Calls that judge and grade one trace while tuning."""
        return _judging(self.settings.weights, self.settings.judges)

    @property
    def report_judging(self) -> int:
        """The same in the proof."""
        return _judging(self.settings.weights, self.settings.report_judges)


def course_of(settings: CompileSettings) -> Course:
    """Reads the texts and divides the budget. Asks nothing. Raises `UserError`."""
    table = table_of(settings)
    report = ReadReport()
    limit = passage_chars_of(table.main)
    samples = list(read_samples(settings.trainset, max_chars=limit, report=report))
    _tell_skipped(report, samples)
    splits = _split(samples, settings)
    course = Course(
        settings=settings,
        optimizer=OPTIMIZERS[settings.optimizer],
        splits=splits,
        tracer=load_tracer(settings.program, prompt_order=settings.prompt_order),
        runs=RUNS_A_BUDGET[settings.budget] * (len(splits.train) + len(splits.val)) // 2,
        concurrency=settings.concurrency or concurrency_of(table.main),
    )
    return replace(
        course, runs=runs_within(settings.max_calls, course.runs, lambda runs: estimate(replace(course, runs=runs)))
    )


def estimate(course: Course) -> dict[str, int]:
    """Calls by part: each stage's tuning, and the proof. From above, but for what is asked again."""
    examples = len(course.splits.train) + len(course.splits.val)
    parts = {
        f"tuning {stage}": tuning_calls(share_of(stage, course.judging), _bill(course, stage), examples)
        for stage in course.settings.stage
    }
    return {**parts, "proof": proof_calls(len(course.splits.test), course.report_judging)}


def tune(course: Course, console: Console) -> Report:
    """Compiles, proves and writes. Raises `BackendError` when a model is gone, `BudgetSpent` at the limit of calls."""
    settings = course.settings
    texts = hash_of(sample.id for side in SIDES for sample in getattr(course.splits, side))
    with workplace(settings, texts, console) as (models, recorder):
        before = proven(course, models, course.tracer, console)
        if not recorder.account.all_paid.calls:
            raise FatalError(f"not one call was answered ({before[0].score.reason})")
        compiled, unscored = _compiled(course, models, recorder, console)
        after = proven(course, models, compiled, console)
        report = _report(course, compiled, (before, after), recorder, unscored)
    identity = identity_of(compiled, model=settings.model, prompt_order=settings.prompt_order)
    write_program(compiled, settings.output / "program.json", identity)
    write_report(report, settings.output)
    console.print(verdict(report))
    return report


def _compiled(course: Course, models: Models, recorder: Recorder, console: Console) -> tuple[Tracer, int]:
    """The tracer with every stage tuned, one after another, and how many examples had no score."""
    tracer, unscored = course.tracer, 0
    for stage in course.settings.stage:
        console.print(f"tuning {stage} with {course.optimizer.name}")
        local = stage in STAGES and stage not in WRITERS
        measure = StageMeasure(stage) if local else _measure(course, models.judges)
        student = _student(course, models, tracer.deepcopy(), until=stage if local else None)
        usual = _usual_scores(course, student, measure)
        metric = OptimizerMetric(measure, worst=min(usual, default=0.0))
        tuned = course.optimizer.compile(_job(course, stage, student, metric, models, usual))
        if recorder.failure is not None:
            # An optimizer may take an error for a score and come to its end.
            raise recorder.failure
        tracer = Tracer(tuned.questions, tuned.strands, tuned.writer)
        tracer.judge, tracer.grader = course.tracer.judge, course.tracer.grader
        unscored += metric.unscored
    return tracer, unscored


def _usual_scores(course: Course, student: Student, measure: Measuring) -> list[float]:
    """What the unchanged program scores on the training texts, as far as it can be measured."""
    found = measure_all(student, _examples(course.splits.train), measure, course.concurrency)
    return [measured.score.value for measured in found if measured.score.value is not None]


def _job(
    course: Course, stage: str, student: Student, metric: OptimizerMetric, models: Models, usual: list[float]
) -> Job:
    known = usual or [1.0]
    return Job(
        student=student,
        tunable=_tunable(stage),
        train=_examples(course.splits.train),
        val=_examples(course.splits.val),
        metric=metric,
        feedback=Feedback(metric),
        proposer=models.proposer.lm,
        runs=course.runs,
        # Better than usual is good enough to be shown, whatever is usual for a model.
        threshold=min(max(known), sum(known) / len(known)),
        seed=course.settings.seed,
        concurrency=course.concurrency,
        folder=course.settings.output / "study" / stage,
    )


def proven(course: Course, models: Models, tracer: Tracer, console: Console) -> list[Measured]:
    """What a program makes of the texts of the proof. Raises `BackendError` when a model is gone."""
    which = "before" if tracer is course.tracer else "after"
    console.print(f"proof: {len(course.splits.test)} texts, {which}")
    student = _student(course, models, tracer)
    return measure_all(
        student, _examples(course.splits.test), _measure(course, models.report_judges), course.concurrency
    )


def _student(course: Course, models: Models, tracer: Tracer, until: str | None = None) -> Student:
    return Student(tracer, options_of(models.student), _rules(course), until)


def _rules(course: Course) -> TryRules:
    return TryRules(seed=course.settings.seed, max_tokens=course.settings.max_output_tokens)


def _measure(course: Course, judges: dict[str, Any]) -> Measure:
    return Measure(course.settings.weights, judges, next(iter(judges.values()), None), _rules(course))


def _tunable(stage: str) -> tuple[str, ...]:
    return tuple(part.predictor for name, part in STAGES.items() if stage in ("all", name))


def _examples(samples: Iterable[Sample]) -> list[dspy.Example]:
    return [
        dspy.Example(
            text=sample.text,
            title=sample.title if sample.title_given else None,
            domain=sample.domain if sample.domain_given else None,
        ).with_inputs("text", "title", "domain")
        for sample in samples
    ]


def _tell_skipped(report: ReadReport, samples: list[Sample]) -> None:
    reasons = ", ".join(f"{why} ({report.first_examples[why]})" for why in report.skipped)
    if not samples:
        raise UserError(f"--trainset: there is no text in it{f': {reasons}' if reasons else ''}")
    if reasons:
        log.warning("--trainset: %d lines were skipped: %s", report.skipped_lines, reasons)


def _split(samples: list[Sample], settings: CompileSettings) -> Splits[Sample]:
    """When nothing is said, half of the sources prove, and the others give as many texts as they have for both sides."""
    test = settings.num_test or max(2, min(MOST_TESTS, len({source_key(sample) for sample in samples}) // 2))

    def parted(each: int) -> Splits[Sample]:
        train, val = settings.num_train or each, settings.num_val or each
        return split(samples, num_train=train, num_val=val, num_test=test, seed=settings.seed)

    for each in range(min(MOST_EXAMPLES, len(samples) // 4), 1, -1):
        with suppress(UserError):
            return parted(each)
    return parted(1)


def _bill(course: Course, stage: str) -> Bill:
    splits = course.splits
    load = Load(course.runs, len(splits.train), len(splits.val), len(_tunable(stage)))
    bill = course.optimizer.bill(load)
    # The threshold is the mean over the training texts.
    return Bill(bill.runs + load.train, bill.proposals)


def _judging(weights: dict[str, float], judges: list[str]) -> int:
    return (len(judges) if "judge" in weights else 0) + (1 if judges and "grades" in weights else 0)


def _report(
    course: Course, compiled: Tracer, measured: tuple[list[Measured], list[Measured]], recorder: Recorder, unscored: int
) -> Report:
    settings = course.settings
    proof = prove(*measured, seed=settings.seed, weights=settings.weights)
    facts = facts_of(settings, recorder, course.tracer, compiled)
    changed = any(tuned.changed for tuned in facts["predictors"].values())
    return Report(
        **facts,
        judges=settings.judges,
        report_judges=settings.report_judges,
        weights=settings.weights,
        data={side: _data(getattr(course.splits, side)) for side in SIDES},
        proof=proof,
        improved=changed and proof.improved,
        unscored=unscored,
        warnings=[*warnings_of(course), *_doubts(course, proof)],
    )


def warnings_of(course: Course) -> list[str]:
    """What a reader of the report should know about its judges."""
    settings = course.settings
    if not course.report_judging:
        return ["no judge took part: the scores are of form, grounding and wording alone, not of truth"]
    found = []
    judged = any(stage == "all" or stage in WRITERS for stage in settings.stage)
    if judged and {*settings.report_judges} & {*settings.judges}:
        found.append("the judges that report are those that optimised: the program may have learned to please them")
    if settings.model in settings.report_judges:
        found.append("the model judges itself")
    return found


def _doubts(course: Course, proof: Proof) -> list[str]:
    """What a reader should know about the figures of the proof."""
    found = []
    if len(course.splits.test) < FEW_SOURCES:
        found.append(f"only {len(course.splits.test)} sources prove: the interval of so few is too narrow")
    if all(source_key(sample) == f"text:{sample.id}" for sample in course.splits.test):
        found.append("no text names its source: passages of one paper may be on both sides")
    if proof.unscored_before or proof.unscored_after:
        found.append(
            f"{proof.unscored_before} texts had no score before, {proof.unscored_after} after, and are left out"
        )
    return found


def _data(samples: list[Sample]) -> dict[str, Any]:
    return {"texts": len(samples), "hash": hash_of(sample.id for sample in samples)}
