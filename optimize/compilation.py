"""The workflow shared by tuning the stages that write and tuning the judges' prompt. Each part is tuned and compared with
its original; the proof then compares the whole program before and after on examples that no optimizer saw."""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.metadata import version
from io import StringIO
from operator import itemgetter
from typing import Any

import dspy
import optuna
from dspy.utils.logging_utils import DSPY_LOGGING_STREAM
from rich.console import Console

from optimize.measure import Measured, optimizer_metric
from optimize.optimizers import OPTIMIZERS, Job, clamp
from optimize.program import Tunable, TunedPart, changed_copy, tuned_parts
from optimize.proposing import ProposalAdapter
from optimize.recording import Recorder, recorded
from optimize.report import MIN_SOURCES, Proof, Report, TunedPredictor, counts_text, prove, write_report
from optimize.settings import CompileSettings
from optimize.stages import ALL
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import ReaskRules
from programs.asking.models import ModelTable, concurrency_of
from programs.background_loop import run_in_background
from programs.cli.logs import HiddenStream
from programs.cli.options import describe_changes
from programs.compiled import write_program
from programs.errors import FatalError, UserError
from programs.lms.resolve import Model
from programs.settings import TracerOptions
from programs.tracer import Tracer, load_tracer
from programs.versions import git_commit, utc_now, versions

MIN_RUNS = 8
"""`--max-calls` does not reduce the runs per part below this."""
RUNS_BY_BUDGET = {"light": 6, "medium": 15, "heavy": 40}
"""Runs of the student per part, by `--budget`, as a multiple of the mean size of the training and validation sets."""
RESULT_FILES = ("program.json", "report.json", "report.md")


class Compilation(ABC):
    """A compilation that is ready to start. Each part (a stage, "all" or "judge") is tuned with about `runs` runs of a
    student on the examples `train` and `val`, any prefix of which is as mixed as the whole. The proof measures a student on
    the examples `tested`, from these `sources`, with these `weights` of the composite. `model` is the one that the written
    program is for. `data` has the counts and a hash of each side of the split."""

    weights: dict[str, float]
    model: str | None
    train: list[dspy.Example]
    val: list[dspy.Example]
    tested: list[dspy.Example]
    sources: list[str]

    def __init__(self, settings: CompileSettings) -> None:
        self.settings = settings
        names = [settings.model, *settings.judges, *settings.report_judges, settings.proposer]
        self.concurrency = settings.concurrency or min(map(concurrency_of, names))
        # First of all, so that an invalid model name is rejected before anything is read.
        self.table = ModelTable(names, settings, temperature=TracerOptions().temperature, download=not settings.dry_run)
        self.tracer = load_tracer(settings.program, question_types=settings.types)
        self.rules = ReaskRules(seed=settings.seed, max_tokens=settings.max_output_tokens)
        self.data: dict[str, dict[str, Any]] = {}

    @abstractmethod
    def max_calls_for(self, runs: int) -> int:
        """An upper bound on the calls for tuning each part with this many runs and for the proof, not counting re-asks."""

    @abstractmethod
    def student(self, part: str, tracer: Tracer, recorder: Recorder, judges: Mapping[str, Model]) -> Tunable:
        """The program of which a part is tuned; `judges` judge what it makes."""

    @abstractmethod
    def report_warnings(self) -> list[str]:
        """Warnings about the examples and the judges for the reader of the report, one sentence each."""

    @property
    def runs(self) -> int:
        """The runs per part: what the budget gives, or fewer to fit `--max-calls`. Raises `UserError` for too few."""
        runs = RUNS_BY_BUDGET[self.settings.budget] * (len(self.train) + len(self.val)) // 2
        limit = self.settings.max_calls
        while limit is not None and (calls := self.max_calls_for(runs)) > limit:
            if runs <= MIN_RUNS:
                raise UserError(f"--max-calls {limit} is too low: set it to {calls} or more, or lower --num-test")
            runs = max(MIN_RUNS, runs * 9 // 10)
        return runs

    def recorded_judges(self, names: Sequence[str], recorder: Recorder, purpose: str) -> dict[str, Model]:
        return {name: recorded(self.table.named(name), recorder, purpose) for name in names}

    def measure_all(self, student: Tunable, examples: Sequence[dspy.Example]) -> list[Measured]:
        """Measures what a student makes of each example. The first error is raised at once."""

        async def measured_all() -> list[Measured]:
            permits = asyncio.Semaphore(self.concurrency)

            async def measured(example: dspy.Example) -> Measured:
                async with permits:
                    prediction = await student.acall(**example.inputs())
                return prediction.measured  # type: ignore[no-any-return]

            return await asyncio.gather(*map(measured, examples))

        return run_in_background(measured_all())


def run_compilation(compilation: Compilation, console: Console) -> Report:
    """Tunes, runs the proof and writes the results. Raises `BackendError` (`BudgetSpent` at the limit of calls)."""
    settings, tracer = compilation.settings, compilation.tracer
    with open_recorder(compilation, console) as recorder:
        judges = compilation.recorded_judges(settings.judges, recorder, "judge")
        report_judges = compilation.recorded_judges(settings.report_judges, recorder, "report-judge")

        def measured(when: str) -> list[Measured]:
            console.print(f"proof: {counts_text(compilation.data['test'])}, {when} tuning")
            student = compilation.student(ALL, tracer, recorder, report_judges)
            return compilation.measure_all(student, compilation.tested)

        before = measured("before")
        for part in settings.stage:
            console.print(f"tuning {part} with {settings.optimizer}")
            student = compilation.student(part, tracer.deepcopy(), recorder, judges)
            tracer = changed_copy(tracer, _tune(compilation, student, recorder))
        after = measured("after")
    proof = prove(before, after, compilation.sources, seed=settings.seed, weights=compilation.weights)
    report = make_report(compilation, tracer, proof, recorder)
    write_program(tracer, settings.output / "program.json", model=compilation.model)
    write_report(report, settings.output)
    for line in report.outcome:
        console.print(line)
    return report


def make_report(compilation: Compilation, compiled: dspy.Module, proof: Proof, recorder: Recorder) -> Report:
    settings, original = compilation.settings, tuned_parts(compilation.tracer)
    predictors = {
        name: TunedPredictor(
            instructions_before=original[name].instructions,
            instructions_after=part.instructions,
            demonstrations=len(part.demos),
            temperature=part.temperature,
            changed=part != original[name],
        )
        for name, part in tuned_parts(compiled).items()
    }
    warnings, sources = compilation.report_warnings(), len({*compilation.sources})
    if sources < MIN_SOURCES:
        warnings.append(f"only {sources} test sources: with fewer than {MIN_SOURCES} nothing is called better")
    before, after = proof.unscored_before, proof.unscored_after
    if before or after:
        warnings.append(f"{before} examples without a score before and {after} after are left out")
    return Report(
        settings=settings.model_dump(mode="json", exclude={"api_base"}),
        created=utc_now(),
        versions={**versions(), "optuna": version("optuna"), "gepa": version("gepa")},
        git_commit=git_commit(),
        data=compilation.data,
        improved=proof.improved and any(tuned.changed for tuned in predictors.values()),
        spent={purpose: dict(spend) for purpose, spend in recorder.paid.items()},
        warnings=warnings,
        predictors=predictors,
        judges=settings.judges,
        report_judges=settings.report_judges,
        weights=compilation.weights,
        proof=proof,
    )


def _tune(compilation: Compilation, student: Tunable, recorder: Recorder) -> dict[str, TunedPart]:
    """Returns the optimizer's changes to a student if they score higher on validation examples that the search did not see
    (unless there is only one), else its unchanged parts."""
    settings, train, val = compilation.settings, compilation.train, compilation.val
    scores = [measured.score for measured in compilation.measure_all(student, train)]
    if not recorder.calls:
        raise FatalError(f"no call was answered ({scores[0].reason})")
    known = [score.value for score in scores if score.value is not None]
    # Runs that score at least the mean may become demonstrations. Rounding can put the mean of equal numbers above them.
    threshold = min(max(known, default=1.0), sum(known) / max(1, len(known)))
    scored = sorted(zip((score.value or 0.0 for score in scores), train, strict=True), key=itemgetter(0), reverse=True)
    # Unscored examples count as the worst score, so that no candidate gains from them.
    worst = min(known, default=0.0)
    # The search must not see these, or a candidate that is lucky on them would win.
    comparison = val[: clamp(compilation.runs / 12, 1, max(1, len(val) // 2))]
    job = Job(
        student=student,
        train=train,
        good=[example for value, example in scored if value and value >= threshold],
        val=val[len(comparison) :] or val,
        metric=optimizer_metric(worst),
        proposer=recorded(compilation.table.named(settings.proposer), recorder, "proposer").lm,
        runs=compilation.runs - 2 * len(comparison),
        threshold=threshold,
        seed=settings.seed,
        concurrency=compilation.concurrency,
    )
    # The recorder decides when to give up, not DSPy's count of errors.
    with suppress_library_output(), dspy.context(adapter=ProposalAdapter([*train, *val], recorder), max_errors=10**9):
        optimized = OPTIMIZERS[settings.optimizer](job)
    recorder.check()

    def score_of(program: Tunable) -> float:
        values = [measured.score.value for measured in compilation.measure_all(program, comparison)]
        return sum(worst if value is None else value for value in values)

    before, after = tuned_parts(student), tuned_parts(optimized)
    return after if after != before and score_of(changed_copy(student, after)) > score_of(student) else before


@contextmanager
def open_recorder(compilation: Compilation, console: Console) -> Iterator[Recorder]:
    """Opens the journal of a compilation and configures DSPy with the student's model. Raises `UserError` if a model cannot
    be reached or the folder belongs to another compilation, `StorageError`, and the recorder's failure even if DSPy hid
    it. On exit, no call is retried, and calls in flight are waited for as long as one call may take."""
    settings, table = compilation.settings, compilation.table
    recorder = Recorder(settings.output, max_calls=settings.max_calls, at_once=compilation.concurrency)
    try:
        _check_folder(settings, compilation.data, recorder)
        run_in_background(table.check_servers())
        lm = recorded(table.main, recorder, "student").lm
        with dspy.context(lm=lm, adapter=PassageFirstAdapter(), disable_history=True, trace=None):
            yield recorder
    except KeyboardInterrupt:
        # DSPy's threads run on for a moment and would log how they fail.
        dspy.disable_logging()
        console.print("interrupted: waiting for the calls in flight; run the same command again to continue")
        raise
    except Exception as error:
        if recorder.gate.in_flight:
            console.print("waiting for the calls in flight")
        if recorder.failure in (None, error):
            raise
        raise recorder.failure from error
    finally:
        # Before the connections are closed: a call in flight that loses its connection would be retried.
        recorder.stop(table.longest_call)
        run_in_background(table.close())
        recorder.journal.close()


def _check_folder(settings: CompileSettings, data: dict[str, dict[str, Any]], recorder: Recorder) -> None:
    """Writes the settings to a new journal, or compares them with those that it has. Raises `UserError` if they differ,
    naming the options, or if the folder holds results but no recorded calls. Without either, any compilation may use it."""
    folder, journal = settings.output, recorder.journal
    wanted = settings.model_dump(mode="json", exclude={*settings.changeable})
    wanted["hashes of the texts"] = {side: part["hash"] for side, part in data.items()}
    recorded_run = journal.latest("run", "") if recorder.calls else None
    if recorded_run is None:
        if found := next((name for name in RESULT_FILES if (folder / name).exists()), None):
            how = "choose another --output, or move it aside with --no-resume"
            raise UserError(f"{folder} holds {found} but not the calls that produced it: {how}")
        journal.append("run", None, settings=wanted)
        return
    before = {name: recorded_run["settings"].get(name) for name in wanted}
    if differences := describe_changes(before, wanted):
        what = f"{folder} holds another compilation: {'; '.join(differences)}"
        raise UserError(f"{what}. Choose another --output, or start afresh with --no-resume")


@contextmanager
def suppress_library_output() -> Iterator[None]:
    """Suppresses what is printed to stdout and stderr, in every thread, and the logs of DSPy and Optuna, but not ours."""
    dspy_logs, verbosity = DSPY_LOGGING_STREAM.enabled, optuna.logging.get_verbosity()
    DSPY_LOGGING_STREAM.enabled = False
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(HiddenStream(sys.stderr)):
            yield
    finally:
        DSPY_LOGGING_STREAM.enabled = dspy_logs
        optuna.logging.set_verbosity(verbosity)
