"""What a compilation is about to do: its texts, parted by source, and its budget, divided over the stages."""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace

from optimize.costs import proof_calls, runs_within, share_of, tuning_calls
from optimize.job import Bill, Load, Optimizer
from optimize.models import table_of
from optimize.optimizers import OPTIMIZERS
from optimize.settings import RUNS_A_BUDGET, CompileSettings
from optimize.splits import Splits, split
from optimize.stages import STAGES
from programs.asking.models import concurrency_of, passage_chars_of
from programs.compiled.load import load_tracer
from programs.errors import UserError
from programs.inputs.papers import source_key
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.tracer import Tracer

MOST_EXAMPLES, MOST_TESTS = 24, 60
"""Texts to train on, as many to choose by, and sources of the proof, when nothing is said."""

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


def tunable_of(stage: str) -> tuple[str, ...]:
    """The predictors that are tuned with a stage."""
    return tuple(part.predictor for name, part in STAGES.items() if stage in ("all", name))


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
    load = Load(course.runs, len(splits.train), len(splits.val), len(tunable_of(stage)))
    bill = course.optimizer.bill(load)
    # The threshold is the mean over the training texts.
    return Bill(bill.runs + load.train, bill.proposals)


def _judging(weights: dict[str, float], judges: list[str]) -> int:
    return (len(judges) if "judge" in weights else 0) + (1 if judges and "grades" in weights else 0)
