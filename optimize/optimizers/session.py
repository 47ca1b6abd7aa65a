"""One compilation under way: what was run, what it was worth, and what ended it.

DSPy's optimizers count an exception as a score of 0 and go on. Here the first one that is more than a bad reply is
remembered, nothing new is begun after it, and it is raised when the optimizer has come to its end.
"""

import io
import random
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import dspy
import optuna
from dspy.utils.exceptions import AdapterParseError
from dspy.utils.logging_utils import DSPY_LOGGING_STREAM

from optimize.job import Job, in_threads, within
from optimize.optimizers.bench import Bench, Run, Step, changed_copy, state_of
from optimize.optimizers.proposing import ProposalAdapter
from optimize.splits import spread
from programs.errors import CallError
from programs.lms.failures import backend_error

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_DEMOS = 2
"""Demonstrations a predictor may get: small models have short contexts."""

_NEVER = 10**9
"""How many errors DSPy may see before it gives up by itself: when to give up is decided here."""


class Halted(Exception):
    """The compilation is over: no run and no proposal may begin."""


@dataclass(frozen=True)
class Harvest:
    """`tried` are the training examples on which the unchanged student was run, `good` those at or above the job's
    threshold, the best first: they become demonstrations."""

    tried: list[dspy.Example]
    good: list[dspy.Example]


class Session:
    """What all copies of the student share while it is compiled. Safe to use from many threads.

    `runs` and `proposals` count what was really run and asked; `failure` is what ended the compilation.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.runs = 0
        self.proposals = 0
        self.failure: BaseException | None = None
        self._lm, self._adapter = dspy.settings.lm, dspy.settings.adapter
        self._lock = threading.Lock()
        self._once = Once()
        self._original = state_of(job.student, job.tunable)
        self.bench = self.bench_of(job.student.deepcopy())

    def __deepcopy__(self, memo: dict[int, Any]) -> "Session":
        return self

    def bench_of(self, program: dspy.Module) -> Bench:
        """A program to be tried in this session."""
        return Bench(program, self.job.tunable, self.run)

    def adapter(self) -> ProposalAdapter:
        """How proposers are asked in this session."""
        return ProposalAdapter(self.job, self.begin_proposal, self.fail)

    def run(self, bench: Bench, inputs: dict[str, Any]) -> Run:
        """What the program makes of the inputs. A program runs on the same inputs once, however often it is asked to,
        and also when DSPy takes a slow run for a lost one and starts it again."""
        return self._once(f"run {bench.key(inputs)}", lambda: self._made(bench, inputs))

    def _made(self, bench: Bench, inputs: dict[str, Any]) -> Run:
        self.begin_run()
        try:
            with dspy.context(lm=self._lm, adapter=self._adapter):
                return bench.made(inputs)
        except AdapterParseError:
            raise
        except Exception as error:
            failure = backend_error(error) or error
            if isinstance(failure, CallError):
                raise failure from (None if failure is error else error)
            self.fail(failure)
            raise Halted(str(failure)) from error

    def metric(self, example: dspy.Example, prediction: Any, trace: object = None) -> float:
        """The job's metric as DSPy calls it. What could not be run or read (DSPy then gives no prediction) scores 0."""
        if not isinstance(prediction, dspy.Prediction):
            return 0.0
        return self._worth("score", example, prediction, lambda: float(self.job.metric(example, prediction, trace)))

    def feedback(
        self,
        gold: dspy.Example,
        pred: Any,
        trace: object = None,
        pred_name: str | None = None,
        pred_trace: object = None,
    ) -> Any:
        """The job's feedback as DSPy calls it: score and words."""
        if not isinstance(pred, dspy.Prediction):
            return 0.0
        said = self._worth(
            f"words {pred_name}", gold, pred, lambda: self.job.feedback(gold, pred, trace, pred_name, pred_trace)
        )
        # A copy, since GEPA writes into what it is given.
        return dspy.Prediction(score=said.score, feedback=said.feedback)

    def score(self, bench: Bench, example: dspy.Example) -> float:
        """The score of one run; 0 where the model gave nothing readable."""
        try:
            return self.metric(example, bench(**example.inputs()))
        except (AdapterParseError, CallError):
            return 0.0

    def steps(self, example: dspy.Example) -> tuple[Step, ...]:
        """The steps of the unchanged student on an example; none where the model gave nothing readable."""
        try:
            return self.run(self.bench, dict(example.inputs())).steps
        except (AdapterParseError, CallError):
            return ()

    def words(self, example: dspy.Example, step: Step) -> Any:
        """What the job's feedback says of a step of the unchanged student on an example."""
        predictors = dict(self.bench.program.named_predictors())
        trace = [(predictors[one.predictor], one.inputs, one.outputs) for one in self.steps(example)]
        own = [(predictors[step.predictor], step.inputs, step.outputs)]
        return self.feedback(example, self.bench(**example.inputs()), trace, step.predictor, own)

    def mean(self, bench: Bench, examples: Sequence[dspy.Example]) -> float:
        """The mean score over the examples."""
        return sum(self.each(lambda example: self.score(bench, example), examples)) / len(examples)

    def better(self, found: Bench, examples: Sequence[dspy.Example]) -> dspy.Module:
        """What an optimizer found, if it scores higher on the examples than the student does; else the student."""
        if state_of(found.program, self.job.tunable) == self._original:
            return self.job.student
        changed = changed_copy(self.job.student, state_of(found.program, self.job.tunable))
        gain = self.mean(self.bench_of(changed), examples) - self.mean(self.bench, examples)
        return changed if gain > 0 else self.job.student

    def sample(self, examples: Sequence[dspy.Example], count: int, what: str) -> list[dspy.Example]:
        """`count` of the examples (all, if there are not more), drawn and ordered by the job's seed and `what`, of each
        stratum in turn."""
        dice = random.Random(f"{self.job.seed}/{what}")
        strata: dict[Hashable, list[dspy.Example]] = {}
        for example in examples:
            strata.setdefault(self.job.stratum(example), []).append(example)
        return spread([dice.sample(some, min(count, len(some))) for some in strata.values()], count)

    def validation(self, count: float) -> list[dspy.Example]:
        """About so many of the validation examples, one at least."""
        return self.sample(self.job.val, within(count, 1, len(self.job.val)), "val")

    def harvest(self, most: int, wanted: int) -> Harvest:
        """Runs the student on training examples, drawn by the seed, until `wanted` were good or `most` were run."""
        drawn, threshold = self.sample(self.job.train, most, "train"), self.job.threshold
        scores: list[float] = []
        while len(scores) < len(drawn) and sum(score >= threshold for score in scores) < wanted:
            batch = drawn[len(scores) : len(scores) + self.job.concurrency]
            scores += self.each(lambda example: self.score(self.bench, example), batch)
        good = [number for number, score in enumerate(scores) if score >= threshold][:wanted]
        # What a last batch ran beyond need is left aside: how many run at once must not change the outcome.
        tried = drawn[: good[-1] + 1] if len(good) == wanted else drawn[: len(scores)]
        return Harvest(tried, [drawn[number] for number in sorted(good, key=lambda number: -scores[number])])

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results for all items, in order, with so many at once as the job allows."""
        return in_threads(function, items, self.job.concurrency)

    def begin_run(self) -> None:
        """Counts a run. Raises `Halted` when none may begin any more."""
        with self._lock:
            self._refuse_when_over()
            self.runs += 1

    def begin_proposal(self) -> None:
        """Counts a question to a proposer. Raises `Halted` when none may be asked any more."""
        with self._lock:
            self._refuse_when_over()
            self.proposals += 1

    def _refuse_when_over(self) -> None:
        if self.failure is not None:
            raise Halted(str(self.failure))

    def fail(self, error: BaseException) -> None:
        """Ends the compilation with this error, unless one has ended it before."""
        with self._lock:
            self.failure = self.failure or error

    def _worth(
        self, what: str, example: dspy.Example, prediction: dspy.Prediction, make: Callable[[], Result]
    ) -> Result:
        def kept() -> tuple[Result, Any]:
            try:
                with dspy.context(lm=self._lm, adapter=self._adapter, trace=None):
                    return make(), (example, prediction)  # while both are held, no other object has their ids
            except Exception as error:
                self.fail(backend_error(error) or error)
                raise Halted(str(error)) from error

        return self._once((what, id(example), id(prediction)), kept)[0]


@contextmanager
def compiling(job: Job) -> Iterator[Session]:
    """A session in DSPy's settings for it, silent. Raises what ended it early, whatever DSPy made of that."""
    session = Session(job)
    settings = {
        "adapter": session.adapter(),
        "trace": None,
        "disable_history": True,
        "max_errors": _NEVER,
        "num_threads": job.concurrency,
    }
    with quiet(), dspy.context(**settings):
        try:
            yield session
        except Exception as error:
            session.fail(error)
        except BaseException as error:
            session.fail(error)
            raise
    if session.failure is not None:
        raise session.failure


class Once:
    """Remembers results, and errors, by key. Whoever asks while the work is being done waits for it."""

    def __init__(self) -> None:
        self._futures: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """The result of the first `make` for this key. Raises what that raised, every time."""
        with self._lock:
            future = self._futures.get(key)
            ours = future is None
            if future is None:
                future = self._futures[key] = Future()
        if ours:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
        return cast(Result, future.result())


class _Nowhere(io.TextIOBase):
    """Takes everything. Never closed: a progress bar may still write when the silence is over."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def quiet() -> Iterator[None]:
    """Swallows what is printed to stdout and stderr, in every thread, and DSPy's and Optuna's logs; afterwards
    everything is as it was. Who wants to show progress meanwhile writes to a stream taken before."""
    logging, verbosity = DSPY_LOGGING_STREAM.enabled, optuna.logging.get_verbosity()
    DSPY_LOGGING_STREAM.enabled = False
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    nowhere = _Nowhere()
    try:
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield
    finally:
        DSPY_LOGGING_STREAM.enabled = logging
        optuna.logging.set_verbosity(verbosity)
