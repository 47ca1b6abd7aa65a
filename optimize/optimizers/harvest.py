"""Runs of the unchanged student on training examples: those that are good enough become demonstrations."""

from dataclasses import dataclass

import dspy

from optimize.optimizers.session import Session

MOST_DEMOS = 2
"""Demonstrations a predictor may get: small models have short contexts."""


@dataclass(frozen=True)
class Harvest:
    """`tried` are the training examples that were run, `good` those at or above the job's threshold, the best first."""

    tried: list[dspy.Example]
    good: list[dspy.Example]


def harvest(session: Session, most: int, wanted: int) -> Harvest:
    """Runs the student on training examples, drawn by the seed, until `wanted` were good or `most` were run."""
    drawn = session.sample(session.job.train, most, "train")
    scores: list[float] = []
    while len(scores) < len(drawn) and sum(score >= session.job.threshold for score in scores) < wanted:
        batch = drawn[len(scores) : len(scores) + session.job.concurrency]
        scores += session.each(lambda example: session.score(session.bench, example), batch)
    good = [number for number, score in enumerate(scores) if score >= session.job.threshold][:wanted]
    # What a last batch ran beyond need is left aside: how many run at once must not change the outcome.
    tried = drawn[: good[-1] + 1] if len(good) == wanted else drawn[: len(scores)]
    return Harvest(tried, [drawn[number] for number in sorted(good, key=lambda number: -scores[number])])
