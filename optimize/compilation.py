"""A compilation that is about to begin: its texts, parted by source, its budget, divided over the stages, the calls that it
may take at most, and what a reader of its report should know."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from optimize.job import Optimizer, most_proposals
from optimize.models import table_of
from optimize.optimizers import OPTIMIZERS
from optimize.proof import Proof
from optimize.settings import RUNS_A_BUDGET, CompileSettings
from optimize.splits import Splits, split
from optimize.stages import STAGES, WRITERS
from programs.asking.models import concurrency_of, passage_chars_of
from programs.errors import UserError
from programs.inputs.papers import source_key
from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.tracer import Tracer, load_tracer

TRACE_CALLS = len(STAGES)
"""Calls that make one trace when nothing is asked again."""

FEWEST_RUNS = 8
"""Runs with which a stage can be tuned at all."""

MOST_EXAMPLES, MOST_TESTS = 24, 60
"""Texts to train on, as many to choose by, and sources of the proof, when nothing is said."""

log = logging.getLogger("synthreasoner")


@dataclass(frozen=True)
class Compilation:
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


def prepared(settings: CompileSettings) -> Compilation:
    """Reads the texts and divides the budget. Asks nothing. Raises `UserError`."""
    table = table_of(settings)
    report = ReadReport()
    limit = passage_chars_of(table.main)
    samples = list(read_samples(settings.trainset, max_chars=limit, report=report))
    _tell_skipped(report, samples)
    splits = _split(samples, settings)
    compilation = Compilation(
        settings=settings,
        optimizer=OPTIMIZERS[settings.optimizer],
        splits=splits,
        tracer=load_tracer(settings.program, prompt_order=settings.prompt_order),
        runs=RUNS_A_BUDGET[settings.budget] * (len(splits.train) + len(splits.val)) // 2,
        concurrency=settings.concurrency or concurrency_of(table.main),
    )
    return replace(
        compilation,
        runs=runs_within(
            settings.max_calls, compilation.runs, lambda runs: calls_at_most(replace(compilation, runs=runs))
        ),
    )


def calls_at_most(compilation: Compilation) -> dict[str, int]:
    """Calls by part: each stage's tuning, and the proof. From above, but for what is asked again."""
    tuning = {f"tuning {stage}": _tuning_calls(compilation, stage) for stage in compilation.settings.stage}
    proof = 2 * len(compilation.splits.test) * (TRACE_CALLS + compilation.report_judging)
    return {**tuning, "proof": proof}


def _tuning_calls(compilation: Compilation, stage: str) -> int:
    """What the stages before the tuned one are asked once an example, and then replayed; what every run asks; and the
    proposals. The training texts are run once more, since their mean score is the threshold."""
    train, val = len(compilation.splits.train), len(compilation.splits.val)
    before, own = run_calls(stage, compilation.judging)
    runs = compilation.runs + train
    return (train + val) * before + runs * own + most_proposals(compilation.runs, len(tunable_of(stage)))


def run_calls(stage: str, judging: int) -> tuple[int, int]:
    """The calls of a run that tunes this stage (or all), when `judging` calls judge and grade a trace: those of the stages
    before it, and those that every run makes."""
    if stage == "all":
        return 0, TRACE_CALLS + judging
    before = sum(other.depth < STAGES[stage].depth for other in STAGES.values())
    return before, TRACE_CALLS - before + judging if stage in WRITERS else 1


def runs_within(limit: int | None, runs: int, calls: Callable[[int], Mapping[str, int]]) -> int:
    """So many runs, or as many as a limit of calls leaves room for. `calls` gives what a number of runs needs, by part,
    with one part `proof`. Raises `UserError` where the limit leaves too little."""
    while limit is not None and sum(calls(runs).values()) > limit:
        if runs <= FEWEST_RUNS:
            raise UserError(
                f"--max-calls {limit} is too few: the least is {sum(calls(runs).values())} calls, "
                f"{calls(runs)['proof']} of them for the proof; raise it, or lower --num-test"
            )
        runs = max(FEWEST_RUNS, runs * 9 // 10)
    return runs


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


def _judging(weights: dict[str, float], judges: list[str]) -> int:
    return (len(judges) if "judge" in weights else 0) + (1 if judges and "grades" in weights else 0)


FEW_SOURCES = 20
"""Below so many sources of the proof the report warns."""


def warnings_of(compilation: Compilation) -> list[str]:
    """What a reader of the report should know about its judges."""
    settings = compilation.settings
    if not compilation.report_judging:
        return ["no judge took part: the scores are of form, grounding and wording alone, not of truth"]
    found = []
    judged = any(stage == "all" or stage in WRITERS for stage in settings.stage)
    if judged and {*settings.report_judges} & {*settings.judges}:
        found.append("the judges that report are those that optimised: the program may have learned to please them")
    if settings.model in settings.report_judges:
        found.append("the model judges itself")
    return found


def few(count: int, what: str) -> list[str]:
    """A warning where so many (`what`: sources, questions) are few to prove by."""
    return [f"only {count} {what} prove: the interval of so few is too narrow"] if count < FEW_SOURCES else []


def doubts_of(compilation: Compilation, proof: Proof) -> list[str]:
    """What a reader should know about the figures of the proof."""
    found = few(len(compilation.splits.test), "sources")
    if all(source_key(sample) == f"text:{sample.id}" for sample in compilation.splits.test):
        found.append("no text names its source: passages of one paper may be on both sides")
    if proof.unscored_before or proof.unscored_after:
        found.append(
            f"{proof.unscored_before} texts had no score before, {proof.unscored_after} after, and are left out"
        )
    return found
