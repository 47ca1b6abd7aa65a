"""A compilation: what is common to tuning the stages that write and tuning the judges' prompt. Each part is tuned and
compared with what it was, and the whole proved on examples that no optimizer saw."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from contextvars import copy_context
from dataclasses import dataclass
from importlib.metadata import version
from io import StringIO
from operator import itemgetter
from typing import Any, TypeVar

import dspy
import optuna
from dspy.utils.logging_utils import DSPY_LOGGING_STREAM
from rich.console import Console

from optimize.measure import Measure, Measured, OptimizerMetric
from optimize.optimizers import OPTIMIZERS, Job, within
from optimize.program import Tunable, Tuned, changed_copy, tuned_parts
from optimize.proposing import ProposalAdapter
from optimize.recording import Recorder, recorded
from optimize.report import FEWEST_SOURCES, Proof, Report, TunedPredictor, counts, prove, write_report
from optimize.settings import CompileSettings
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import TryRules
from programs.asking.models import ModelTable
from programs.background_loop import run
from programs.cli.logs import HiddenStream
from programs.cli.options import changed
from programs.compiled import write_program
from programs.errors import FatalError, UserError
from programs.lms.resolve import Model
from programs.settings import TracerOptions
from programs.tracer import Tracer, load_tracer
from programs.versions import git_commit, stamp, versions

Item = TypeVar("Item")
Result = TypeVar("Result")

FEWEST_RUNS = 8
"""Runs with which anything can be tuned at all."""
RUNS_A_BUDGET = {"light": 6, "medium": 15, "heavy": 40}
"""How often the program is run on the training and validation examples together, per budget."""
RESULTS = ("program.json", "report.json", "report.md")


@dataclass(frozen=True)
class Models:
    """The models of a compilation, recorded: whose prompts are tuned, who judges (by name), who writes instructions."""

    student: Model
    judges: dict[str, Model]
    report_judges: dict[str, Model]
    proposer: Model
    recorder: Recorder


class Compilation(ABC):
    """A compilation that is about to begin. Each of the `parts` (a stage, all of them, or the judges) is tuned by so many
    `runs` of its student on the examples `train` and `val`, any prefix of which is as mixed as the whole; `tested`, of
    these `sources`, prove the `whole`. `model` is the one that the written program is for; `data` says by side of the split
    how much there is, with a hash."""

    parts: list[str]
    whole: str
    weights: dict[str, float]
    model: str | None
    train: list[dspy.Example]
    val: list[dspy.Example]
    tested: list[dspy.Example]
    sources: list[str]
    temperatures = True

    def __init__(self, settings: CompileSettings, concurrency: int) -> None:
        self.settings, self.concurrency = settings, concurrency
        # First of all: a name that cannot be one is refused before anything is read.
        names = [settings.model, *settings.judges, *settings.report_judges, settings.proposer]
        self.table = ModelTable(names, settings, temperature=TracerOptions().temperature, bring=not settings.dry_run)
        self.tracer = load_tracer(settings.program, question_types=settings.types)
        self.rules = TryRules(seed=settings.seed, max_tokens=settings.max_output_tokens)
        self.data: dict[str, dict[str, Any]] = {}

    @abstractmethod
    def calls_at_most(self, runs: int) -> int:
        """The calls of tuning each part by so many runs, and of the proof: from above, but for what is asked again."""

    @abstractmethod
    def student(self, part: str, tracer: Tracer, models: Models) -> Tunable: ...

    @abstractmethod
    def measure(self, part: str, judges: dict[str, Model]) -> Measure: ...

    @abstractmethod
    def cautions(self) -> list[str]:
        """What a reader of the report should know of the examples and who judges them, a sentence each."""

    @property
    def runs(self) -> int:
        """The runs for each part: by the budget, or what `--max-calls` leaves room for. Raises `UserError` for too few."""
        runs = RUNS_A_BUDGET[self.settings.budget] * (len(self.train) + len(self.val)) // 2
        limit = self.settings.max_calls
        while limit is not None and (calls := self.calls_at_most(runs)) > limit:
            if runs <= FEWEST_RUNS:
                why = f"the least is {calls} calls; raise it, or lower --num-test"
                raise UserError(f"--max-calls {limit} is too few: {why}")
            runs = max(FEWEST_RUNS, runs * 9 // 10)
        return runs

    def measured(self, student: Tunable, examples: Sequence[dspy.Example], measure: Measure) -> list[Measured]:
        return in_threads(lambda example: measure(example, student(**example.inputs())), examples, self.concurrency)


def compiled(compilation: Compilation, console: Console) -> Report:
    """Tunes, proves and writes. Raises `BackendError` when a model is gone, `BudgetSpent` at the limit of calls."""
    settings, tracer, whole = compilation.settings, compilation.tracer, compilation.whole
    with workspace(compilation, console) as models:
        measure = compilation.measure(whole, models.report_judges)

        def proven(when: str) -> list[Measured]:
            console.print(f"proof: {counts(compilation.data['test'])}, {when}")
            return compilation.measured(compilation.student(whole, tracer, models), compilation.tested, measure)

        before = proven("before")
        for part in compilation.parts:
            console.print(f"tuning {part} with {settings.optimizer}")
            student = compilation.student(part, tracer.deepcopy(), models)
            tracer = changed_copy(tracer, _tuned_part(compilation, part, student, models))
        after = proven("after")
    proof = prove(before, after, compilation.sources, seed=settings.seed, weights=compilation.weights)
    report = report_of(compilation, tracer, proof, models.recorder)
    write_program(tracer, settings.output / "program.json", model=compilation.model)
    write_report(report, settings.output)
    for line in report.outcome:
        console.print(line)
    return report


def report_of(compilation: Compilation, made: dspy.Module, proof: Proof, recorder: Recorder) -> Report:
    settings, earlier = compilation.settings, tuned_parts(compilation.tracer)
    predictors = {
        name: TunedPredictor(
            instructions_before=earlier[name].instructions,
            instructions_after=part.instructions,
            demonstrations=len(part.demos),
            temperature=part.temperature,
            changed=part != earlier[name],
        )
        for name, part in tuned_parts(made).items()
    }
    warnings, sources = compilation.cautions(), len({*compilation.sources})
    if sources < FEWEST_SOURCES:
        warnings.append(f"only {sources} sources prove: with fewer than {FEWEST_SOURCES} nothing is called better")
    before, after = proof.unscored_before, proof.unscored_after
    if before or after:
        warnings.append(f"{before} examples had no score before, {after} after, and are left out")
    return Report(
        settings=settings.model_dump(mode="json", exclude={"api_base"}),
        created=stamp(),
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


def _tuned_part(compilation: Compilation, part: str, student: Tunable, models: Models) -> dict[str, Tuned]:
    """What an optimizer made of the student's predictors, if that scores higher on validation; else what they were."""
    settings, recorder, train, val = compilation.settings, models.recorder, compilation.train, compilation.val
    measure, threads = compilation.measure(part, models.judges), compilation.concurrency
    scores = [one.score for one in compilation.measured(student, train, measure)]
    if not recorder.calls:
        raise FatalError(f"not one call was answered ({scores[0].reason})")
    known = [score.value for score in scores if score.value is not None]
    # Better than usual is good enough to be shown. The mean of equal numbers can come out above them.
    threshold = min(max(known, default=1.0), sum(known) / max(1, len(known)))
    scored = sorted(zip((score.value or 0.0 for score in scores), train, strict=True), key=itemgetter(0), reverse=True)
    # A candidate must not gain by what cannot be measured.
    metric = OptimizerMetric(measure, min(known, default=0.0), recorder)
    compared_on = val[: within(compilation.runs / 12, 1, len(val))]
    job = Job(
        student=student,
        train=train,
        good=[one for value, one in scored if value and value >= threshold],
        val=val,
        metric=metric,
        proposer=models.proposer.lm,
        runs=compilation.runs - 2 * len(compared_on),
        threshold=threshold,
        seed=settings.seed,
        concurrency=threads,
        temperatures=compilation.temperatures,
    )
    # When to give up is decided by the recorder, not by how many errors DSPy has seen.
    with quiet(), dspy.context(adapter=ProposalAdapter([*train, *val], recorder), max_errors=10**9):
        made = OPTIMIZERS[settings.optimizer](job)
    recorder.check()

    def total(program: dspy.Module) -> float:
        return sum(in_threads(lambda one: float(metric(one, program(**one.inputs())).score), compared_on, threads))

    before, after = tuned_parts(student), tuned_parts(made)
    return after if after != before and total(changed_copy(student, after)) > total(student) else before


@contextmanager
def workspace(compilation: Compilation, console: Console) -> Iterator[Models]:
    """The models of a compilation, and DSPy configured with the student's. Raises `UserError` when one cannot be reached or
    the folder is another compilation's, `StorageError`, and what made the recorder give up, whatever DSPy made of it. At
    the end the calls under way are waited for, as long as one may take, and no call is tried again."""
    settings, table = compilation.settings, compilation.table
    recorder = Recorder(settings.output, max_calls=settings.max_calls, at_once=compilation.concurrency)
    try:
        _check_folder(settings, compilation.data, recorder)
        run(table.reach())
        models = Models(
            student=recorded(table.main, recorder, "student"),
            judges={name: recorded(table.named(name), recorder, "judge") for name in settings.judges},
            report_judges={n: recorded(table.named(n), recorder, "report-judge") for n in settings.report_judges},
            proposer=recorded(table.named(settings.proposer), recorder, "proposer"),
            recorder=recorder,
        )
        with dspy.context(lm=models.student.lm, adapter=PassageFirstAdapter(), disable_history=True, trace=None):
            yield models
    except KeyboardInterrupt:
        # DSPy's threads go on for a moment, and would log how they end.
        dspy.disable_logging()
        console.print("interrupted: the calls under way are waited for; run the same command again to go on")
        raise
    except Exception as error:
        if recorder.under_way:
            console.print("the calls under way are waited for")
        if recorder.failure in (None, error):
            raise
        raise recorder.failure from error
    finally:
        # First of all: a call under way whose connection is closed would be made again.
        recorder.stop(table.longest_call)
        run(table.close())
        recorder.journal.close()


def _check_folder(settings: CompileSettings, data: dict[str, dict[str, Any]], recorder: Recorder) -> None:
    """Writes into the journal what it is for, or finds it written. Raises `UserError`, naming the options that differ,
    where it is for something else. A folder where nothing was paid for is anyone's, unless it holds results."""
    folder, journal = settings.output, recorder.journal
    wanted = {name: value for name, value in settings.model_dump(mode="json").items() if name not in settings.free}
    wanted["hashes of the texts"] = {side: part["hash"] for side, part in data.items()}
    known = journal.latest("run", "") if recorder.calls else None
    if known is None:
        if found := next((name for name in RESULTS if (folder / name).exists()), None):
            how = "choose another --output, or move it aside with --no-resume"
            raise UserError(f"{folder} holds {found} without the calls that it was made of: {how}")
        journal.append("run", None, settings=wanted)
        return
    # What older versions did not know was as it is by default.
    usual = {name: field.get_default() for name, field in type(settings).model_fields.items()}
    before = {**usual, **known["settings"]}
    if differences := changed({name: before.get(name) for name in wanted}, wanted):
        what = f"{folder} holds another compilation: {'; '.join(differences)}"
        raise UserError(f"{what}. Choose another --output, or begin afresh with --no-resume")


@contextmanager
def quiet() -> Iterator[None]:
    """Swallows what is printed to stdout and stderr, in every thread, and DSPy's and Optuna's logs, not ours."""
    logging, verbosity = DSPY_LOGGING_STREAM.enabled, optuna.logging.get_verbosity()
    DSPY_LOGGING_STREAM.enabled = False
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(HiddenStream(sys.stderr)):
            yield
    finally:
        DSPY_LOGGING_STREAM.enabled = logging
        optuna.logging.set_verbosity(verbosity)


def in_threads(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """`function` of every item, in order, in threads that have the caller's context. An error is raised at once, and what
    has not begun is then left; what is under way goes on unheeded."""
    pool = ThreadPoolExecutor(max(1, threads))
    try:
        futures = [pool.submit(copy_context().run, function, item) for item in items]
        wait(futures, return_when=FIRST_EXCEPTION)
        # Where one has failed, those before it may not have ended.
        return [future.result() for future in futures if future.done()]
    finally:
        # After an interrupt nobody waits for whole traces; without an error nothing is under way.
        pool.shutdown(wait=False, cancel_futures=True)
