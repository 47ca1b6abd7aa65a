"""`gepa`: DSPy's GEPA, instructions evolved by reflecting on what was wrong, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import dspy
from dspy.teleprompt.gepa import InstructionProposer

from optimize.job import Bill, Job, Load, within
from optimize.optimizers.session import Session, compiling

_MERGE_SAMPLE = 5
"""Validation examples on which GEPA tries a merge of two programs before it tries the rest."""


@dataclass(frozen=True)
class Parts:
    """GEPA begins a step while it has used fewer than `limit` runs. A step reflects on `batch` training examples, tries
    the new instruction on them, and then, if it is better, on `val` examples."""

    val: int
    batch: int
    limit: int

    @property
    def step(self) -> int:
        """The runs of one step at most."""
        return max(2 * self.batch, _MERGE_SAMPLE) + self.val


def parts(load: Load) -> Parts:
    """A fifth of the runs for each full validation."""
    val = within(load.runs / 5, 1, load.val)
    batch = min(3, load.train)
    step = Parts(val, batch, 0).step
    return Parts(val, batch, max(load.runs - step + 1, val + 1))


class Gepa:
    name = "gepa"

    def bill(self, load: Load) -> Bill:
        given = parts(load)
        return Bill(
            runs=given.limit - 1 + given.step,
            proposals=ceil((given.limit - given.val) / given.batch),
        )

    def compile(self, job: Job) -> dspy.Module:
        given = parts(job.load)
        with compiling(job) as session:
            # No cache_evaluation: GEPA 0.1.4 keys it by an example's place in its list, so that a score on training
            # example 0 counts as the one on validation example 0. The session remembers runs anyway.
            optimizer = dspy.GEPA(
                metric=session.feedback,
                max_metric_calls=given.limit,
                reflection_minibatch_size=given.batch,
                reflection_lm=job.proposer,
                instruction_proposer=_Proposer(session),
                num_threads=job.concurrency,
                warn_on_score_mismatch=False,
                seed=job.seed,
            )
            val = session.sample(job.val, given.val, "val")
            made = optimizer.compile(session.bench, trainset=job.train, valset=val)
            return session.better(made, val)


class _Proposer(InstructionProposer):
    """GEPA's own proposer, of whose proposals only new ones come back: GEPA spends runs on whatever does."""

    def __init__(self, session: Session) -> None:
        super().__init__(adapter=session.adapter())

    def __call__(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        proposed = super().__call__(candidate, reflective_dataset, components_to_update)
        return {name: text for name, text in proposed.items() if text != candidate[name].strip()}
