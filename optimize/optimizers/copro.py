"""`copro`: DSPy's COPRO, instructions by coordinate ascent: one predictor after another, round after round."""

from dataclasses import dataclass
from itertools import product

import dspy

from optimize.job import Bill, Job, Load, within
from optimize.optimizers.session import compiling

_ENOUGH = 6
"""Examples on which an instruction should be tried, where the runs allow it."""


@dataclass(frozen=True)
class Parts:
    """`breadth` new instructions for each predictor in each of `depth` rounds, each tried on `val` examples."""

    val: int
    breadth: int
    depth: int


def programs(predictors: int, breadth: int, depth: int) -> int:
    """How many different programs COPRO tries at most.

    The first round has the original among its `breadth`. With one predictor every later round tries the new ones alone;
    with several, all instructions so far again, one of which is the program as it stands.
    """
    if predictors == 1:
        return breadth * depth
    return 1 + sum(predictors * (breadth * number - 1) for number in range(1, depth + 1))


def parts(load: Load) -> Parts:
    """The widest and deepest search that leaves enough examples for each instruction."""
    enough = min(_ENOUGH, load.val)
    sizes = [
        (breadth, depth)
        for breadth, depth in product(range(2, 9), range(1, 4))
        if programs(load.predictors, breadth, depth) * enough <= load.runs
    ]
    breadth, depth = max(sizes, key=lambda size: (size[0] * size[1], size[1]), default=(2, 1))
    return Parts(within(load.runs / programs(load.predictors, breadth, depth), 1, load.val), breadth, depth)


class Copro:
    name = "copro"

    def bill(self, load: Load) -> Bill:
        given, predictors = parts(load), load.predictors
        return Bill(
            runs=programs(predictors, given.breadth, given.depth) * given.val,
            proposals=predictors * (given.breadth * given.depth - 1),
        )

    def compile(self, job: Job) -> dspy.Module:
        given = parts(job.load)
        with compiling(job) as session:
            optimizer = dspy.COPRO(
                prompt_model=job.proposer,
                metric=session.metric,
                breadth=given.breadth,
                depth=given.depth,
                init_temperature=1.0,
            )
            val = session.sample(job.val, given.val, "val")
            threads = {"num_threads": job.concurrency, "display_progress": False, "display_table": 0}
            # What COPRO calls its training set is what it chooses by.
            made = optimizer.compile(session.bench, trainset=val, eval_kwargs=threads)
            return session.better(made, val)
