"""`bootstrap`: DSPy's BootstrapFewShot, a demonstration for each predictor from a run that scored well."""

from dataclasses import dataclass

import dspy

from optimize.job import Bill, Job
from optimize.optimizers.allotment import within
from optimize.optimizers.harvest import harvest
from optimize.optimizers.session import compiling

DEMOS = 1


@dataclass(frozen=True)
class Parts:
    """`train` runs to find demonstrations, `val` examples to compare the program with and without them."""

    train: int
    val: int


def parts(job: Job) -> Parts:
    """Half of the runs for each."""
    train = within(job.runs / 2, 1, len(job.train))
    return Parts(train, within((job.runs - train) / 2, 1, len(job.val)))


class Bootstrap:
    name = "bootstrap"

    def bill(self, job: Job) -> Bill:
        given = parts(job)
        return Bill(runs=given.train + 2 * given.val, proposals=0)

    def compile(self, job: Job) -> dspy.Module:
        given = parts(job)
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
