"""`simba`: DSPy's SIMBA, rules and demonstrations taken from examples on which runs differ most."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dspy
from dspy.teleprompt.simba_utils import append_a_demo, append_a_rule

from optimize.job import Bill, Job, Load, within
from optimize.optimizers.harvest import MOST_DEMOS
from optimize.optimizers.proposing import LONGEST
from optimize.optimizers.session import compiling
from optimize.optimizers.tuned import plain

_LONGEST_INPUT = 100_000
"""Characters at which SIMBA would cut a demonstration's input; ours are shorter."""

Strategy = Callable[..., bool]


@dataclass(frozen=True)
class Parts:
    """Each of `steps` steps samples `candidates` runs on each of `batch` examples, makes up to one program more of them
    and tries these on the batch; the best of all steps are tried on `train` examples."""

    train: int
    val: int
    batch: int
    candidates: int
    steps: int

    @property
    def runs(self) -> int:
        tried = self.candidates + 1
        return self.steps * self.batch * (self.candidates + tried) + tried * self.train + 2 * self.val


def parts(load: Load) -> Parts:
    """A quarter of the runs for the last trial on training examples, an eighth for validation, the rest for steps: four
    or more, or fewer where a batch would have less than four examples."""
    candidates = 4 if load.runs >= 200 else 3
    train = within(load.runs / 4 / (candidates + 1), 4, load.train)
    val = within(load.runs / 16, 1, load.val)
    left = load.runs - (candidates + 1) * train - 2 * val
    widest = left / (2 * candidates + 1)
    batch = within(max(widest / 4, min(widest, 4)), 2, train)
    return Parts(train, val, batch, candidates, within(widest / batch, 1, 8))


class Simba:
    name = "simba"

    def bill(self, load: Load) -> Bill:
        given = parts(load)
        return Bill(runs=given.runs, proposals=given.steps * min(given.batch, given.candidates + 1))

    def compile(self, job: Job) -> dspy.Module:
        given = parts(job.load)
        with compiling(job) as session:
            optimizer = dspy.SIMBA(
                metric=session.feedback,
                bsize=given.batch,
                num_candidates=given.candidates,
                max_steps=given.steps,
                max_demos=MOST_DEMOS,
                prompt_model=job.proposer,
                num_threads=job.concurrency,
            )
            optimizer.strategies = [good_demo(job.threshold), readable_rule]
            train = session.sample(job.train, given.train, "train")
            made = optimizer.compile(session.bench, trainset=train, seed=job.seed)
            return session.better(made, session.sample(job.val, given.val, "val"))


def good_demo(threshold: float) -> Strategy:
    """SIMBA's strategy of adding a demonstration, for runs at or above the threshold only."""
    append = append_a_demo(_LONGEST_INPUT)

    def good_demo(bucket: list[dict[str, Any]], system: dspy.Module, **more: Any) -> bool:
        return bool(bucket[0]["score"] >= threshold and append(bucket, system, **more))

    return good_demo


def readable_rule(bucket: list[dict[str, Any]], system: dspy.Module, **more: Any) -> bool:
    """SIMBA's strategy of adding a rule. It shows the proposer nothing but JSON, and writes that any other value is not
    serializable; so our values are made JSON before. An instruction that would grow too long stays as it was."""
    before = {name: predictor.signature for name, predictor in system.named_predictors()}
    made = append_a_rule([_readable(output) for output in bucket], system, **more)
    for name, predictor in system.named_predictors():
        if len(predictor.signature.instructions) > LONGEST:
            predictor.signature = before[name]
    return bool(made)


def _readable(output: dict[str, Any]) -> dict[str, Any]:
    trace = [(predictor, plain(given), plain(dict(made))) for predictor, given, made in output["trace"] or []]
    # The steps tell what the program put out; a whole prediction would repeat them, with the passage.
    return {**output, "trace": trace, "prediction": {}}
