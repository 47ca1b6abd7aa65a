"""`bootstrap`: DSPy's BootstrapFewShot, a demonstration for each predictor from a run that scored well."""

from dataclasses import dataclass

import dspy

from optimize.job import Bill, Job, Load, within
from optimize.optimizers.harvest import harvest
from optimize.optimizers.session import compiling

DEMOS = 1


@dataclass(frozen=True)
class Parts:
    """`train` runs to find demonstrations, `val` examples to compare the program with and without them."""

    train: int
    val: int


def parts(load: Load) -> Parts:
    """Half of the runs for each."""
    train = within(load.runs / 2, 1, load.train)
    return Parts(train, within((load.runs - train) / 2, 1, load.val))


class Bootstrap:
    name = "bootstrap"

    def bill(self, load: Load) -> Bill:
        given = parts(load)
        return Bill(runs=given.train + 2 * given.val, proposals=0)

    def compile(self, job: Job) -> dspy.Module:
        given = parts(job.load)
        with compiling(job) as session:
            good = harvest(session, given.train, wanted=4 * DEMOS).good
            if not good:
                return job.student
            # All of these pass: what is run again is remembered, and the metric with it.
            optimizer = dspy.BootstrapFewShot(
                metric=session.metric,
                metric_threshold=job.threshold or None,
                max_bootstrapped_demos=DEMOS,
                max_labeled_demos=0,
            )
            made = optimizer.compile(session.bench, trainset=good)
            return session.better(made, session.sample(job.val, given.val, "val"))
