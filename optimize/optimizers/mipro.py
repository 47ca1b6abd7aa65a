"""`mipro`: DSPy's MIPROv2, instructions and demonstrations chosen together by Bayesian optimization."""

from dataclasses import dataclass
from math import ceil

import dspy

from optimize.job import Bill, Job, Load, within
from optimize.optimizers.harvest import MOST_DEMOS, harvest
from optimize.optimizers.session import compiling

SHOWN = 8
"""Training examples that the proposer is told of."""

_SHOWN_AT_ONCE = 4


@dataclass(frozen=True)
class Parts:
    """`train` runs to find demonstrations; `trials` combinations of `candidates` instructions and as many sets of
    demonstrations for each predictor, each tried on `val` examples."""

    train: int
    val: int
    trials: int
    candidates: int


def parts(load: Load) -> Parts:
    """A fifth of the runs to find demonstrations, the rest for about ten trials or more."""
    train = within(load.runs / 5, 1, load.train)
    left = load.runs - train
    val = within(left / 11, 1, load.val)
    trials = within(left / val - 1, 2, 60)
    return Parts(train, val, trials, within(trials / 3, 2, 8))


class Mipro:
    name = "mipro"

    def bill(self, load: Load) -> Bill:
        given = parts(load)
        summary = 2 + ceil(min(SHOWN, given.train) / _SHOWN_AT_ONCE) - 1
        return Bill(
            runs=given.train + (given.trials + 1) * given.val,
            proposals=summary + given.candidates * load.predictors,
        )

    def compile(self, job: Job) -> dspy.Module:
        given = parts(job.load)
        with compiling(job) as session:
            found = harvest(session, given.train, wanted=SHOWN)
            demos = MOST_DEMOS if found.good else 0
            optimizer = dspy.MIPROv2(
                metric=session.metric,
                prompt_model=job.proposer,
                task_model=dspy.settings.lm,
                max_bootstrapped_demos=demos,
                max_labeled_demos=0,
                auto=None,
                num_candidates=given.candidates,
                num_threads=job.concurrency,
                # MIPRO takes a seed of 0 for none.
                seed=job.seed + 1,
                track_stats=False,
                metric_threshold=job.threshold or None,
            )
            val = session.sample(job.val, given.val, "val")
            made = optimizer.compile(
                session.bench,
                trainset=found.good or found.tried[:SHOWN],
                valset=val,
                num_trials=given.trials,
                minibatch=False,
                # It would read the source of our bench.
                program_aware_proposer=False,
                view_data_batch_size=_SHOWN_AT_ONCE,
            )
            return session.better(made, val)
