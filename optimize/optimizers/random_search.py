"""`random-search`: DSPy's BootstrapFewShotWithRandomSearch, the best of several random sets of demonstrations."""

from dataclasses import dataclass

import dspy

from optimize.job import Bill, Job, Load, within
from optimize.optimizers.harvest import MOST_DEMOS, harvest
from optimize.optimizers.session import compiling

_LABELLED = -2
"""DSPy's number of the program with raw training examples as demonstrations: texts, which no stage can use."""


@dataclass(frozen=True)
class Parts:
    """`train` runs to find demonstrations, then `programs` tried on `val` examples each."""

    train: int
    val: int
    programs: int


def parts(load: Load) -> Parts:
    """A quarter of the runs to find demonstrations, the rest for about eight programs or more."""
    train = within(load.runs / 4, 1, load.train)
    left = load.runs - train
    val = within(left / 9, 1, load.val)
    return Parts(train, val, within(left / val - 1, 2, 24))


class RandomSearch:
    name = "random-search"

    def bill(self, load: Load) -> Bill:
        given = parts(load)
        # One more than the programs: the student may bring demonstrations of its own.
        return Bill(runs=given.train + (given.programs + 1) * given.val, proposals=0)

    def compile(self, job: Job) -> dspy.Module:
        given = parts(job.load)
        with compiling(job) as session:
            good = harvest(session, given.train, wanted=4 * MOST_DEMOS).good
            if not good:
                return job.student
            optimizer = dspy.BootstrapFewShotWithRandomSearch(
                metric=session.metric,
                metric_threshold=job.threshold or None,
                max_bootstrapped_demos=MOST_DEMOS,
                max_labeled_demos=0,
                num_candidate_programs=given.programs - 2,
                num_threads=job.concurrency,
                stop_at_score=100.0,
            )
            val = session.sample(job.val, given.val, "val")
            numbers = [number for number in range(-3, given.programs - 2) if number != _LABELLED]
            made = optimizer.compile(session.bench, trainset=good, valset=val, restrict=numbers)
            return session.better(made, val)
