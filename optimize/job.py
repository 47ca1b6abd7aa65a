"""What an optimizer is given, and what it is: the one interface between the compile command and the optimizers."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Protocol, TypeVar

import dspy

Item = TypeVar("Item")
Result = TypeVar("Result")


class ExampleMetric(Protocol):
    """Scores what a program made of an example: 0-1, higher is better. `trace` is DSPy's and changes nothing.

    Where nothing can be measured (a judge that failed) there is no score; as DSPy needs a number, such an example then
    counts as the worst that the unchanged program scored on a training text, and is counted apart.
    """

    def __call__(self, example: dspy.Example, prediction: dspy.Prediction, trace: object = None) -> float: ...


class FeedbackMetric(Protocol):
    """Scores as `ExampleMetric` does, and says in words what was wrong with the output of the predictor `pred_name` (of
    the whole when None). Gives a `dspy.Prediction` with `score` and `feedback`.

    `pred_trace` holds that predictor's call, as (predictor, inputs, outputs): the last try, without the passage.
    """

    def __call__(
        self,
        gold: dspy.Example,
        pred: dspy.Prediction,
        trace: object = None,
        pred_name: str | None = None,
        pred_trace: object = None,
    ) -> dspy.Prediction: ...


@dataclass(frozen=True)
class Job:
    """One compilation. The LM and the adapter of `student` are those that DSPy is configured with when an optimizer runs.

    `runs`: at most about so many times the student may be run on one example. `threshold`: the score from which on a
    run is good enough to be a demonstration. `proposer` writes instructions.
    `tunable` are the predictors that may change, by name; every other one stays as it is. `stratum` tells kinds of
    examples that every draw should hold in equal number. `temperatures`: whether these may be tuned too.
    """

    student: dspy.Module
    tunable: tuple[str, ...]
    train: list[dspy.Example]
    val: list[dspy.Example]
    metric: ExampleMetric
    feedback: FeedbackMetric
    proposer: dspy.LM
    runs: int
    threshold: float
    seed: int
    concurrency: int
    stratum: Callable[[dspy.Example], Hashable] = lambda _: None
    temperatures: bool = True


def within(number: float, least: int, most: int) -> int:
    """The whole number nearest below `number` that is at least `least` and at most `most` (`most` wins)."""
    return min(max(int(number), least), most)


def most_proposals(runs: int, predictors: int) -> int:
    """How many instructions any optimizer asks for, at most, when it may make so many runs."""
    return runs // 3 + 8 * predictors + 3


class Optimizer(Protocol):
    """A way to tune a program. `compile` gives a changed copy, or `job.student` itself where nothing better was found;
    it raises `BackendError` when a model is gone. It keeps to the runs of the job, and to `most_proposals`."""

    @property
    def name(self) -> str: ...

    def compile(self, job: Job) -> dspy.Module: ...


def in_threads(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """`function` of every item, in order, in threads that have the caller's context. The first error (of the items'
    order) is raised, and what has not begun is then left; what is under way goes on unheeded."""
    pool = ThreadPoolExecutor(max(1, threads))
    try:
        futures = [pool.submit(copy_context().run, function, item) for item in items]
        return [future.result() for future in futures]
    finally:
        # After an interrupt nobody waits for whole traces; without an error nothing is under way.
        pool.shutdown(wait=False, cancel_futures=True)
