"""By how much balanced accuracy changed, and how sure that is, where several answers belong to one question."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from optimize.interval import Interval, Numbers, bca_bounds

_BLOCK = 1_000_000
"""Weights of questions drawn at once: 8 MB."""

Counts = Numbers
"""Axes: judge; question; people said right, wrong; answers, of which the judge agreed before, agreed after."""


class Pair(NamedTuple):
    """What people said of an answer to a question, and what a judge said of it before and after."""

    question: str
    truth: bool
    before: bool
    after: bool


def balanced_interval(
    judges: Sequence[Sequence[Pair]], *, seed: int, resamples: int = 10_000, confidence: float = 0.95
) -> Interval | None:
    """The interval of the difference in balanced accuracy (after - before), the mean over the judges.

    Whole questions are drawn again, the same for every judge and both times, since answers to one question are not
    independent; the bounds are the bias-corrected and accelerated ones of `optimize.interval`. Resamples in which people
    found no answer right, or none wrong, say nothing and are left out. `pairs` of the result counts questions.
    None with fewer than two questions, without judges, or where a judge has no right or no wrong answers.
    """
    names = sorted({pair.question for pairs in judges for pair in pairs})
    counts = _counts(judges, names)
    whole = float(_differences(counts, np.ones((1, len(names))))[0]) if len(names) > 1 and judges else np.nan
    if not np.isfinite(whole):
        return None
    dice = np.random.default_rng(seed)
    drawn = np.concatenate([_differences(counts, weights) for weights in _weights(dice, len(names), resamples)])
    drawn = drawn[np.isfinite(drawn)]
    if np.ptp(drawn) <= 1e-12:
        return Interval(whole, whole, whole, len(names), 0, confidence)
    without = _differences(counts, 1 - np.eye(len(names)))
    # A question without which nothing could be said has no influence that could be told.
    without[~np.isfinite(without)] = whole
    low, high = bca_bounds(whole, drawn, without.mean() - without, confidence)
    return Interval(whole, low, high, len(names), 0, confidence)


def _counts(judges: Sequence[Sequence[Pair]], names: Sequence[str]) -> Counts:
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(judges), len(names), 2, 3))
    for judge, pairs in enumerate(judges):
        for pair in pairs:
            agreed = (1, pair.before == pair.truth, pair.after == pair.truth)
            counts[judge, place[pair.question], 0 if pair.truth else 1] += agreed
    return counts


def _weights(dice: np.random.Generator, questions: int, resamples: int) -> list[Numbers]:
    """How often each question is in each resample."""
    rows = max(1, _BLOCK // questions)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    even = np.full(questions, 1 / questions)
    return [dice.multinomial(questions, even, size=size).astype(np.float64) for size in sizes]


def _differences(counts: Counts, weights: Numbers) -> Numbers:
    """The difference for each row of weights; not a number where a class is missing for a judge."""
    sums = np.einsum("rq,jqck->rjck", weights, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = sums[..., 1:] / sums[..., :1]
    accuracy = shares.mean(axis=2).mean(axis=1)
    difference: Numbers = accuracy[:, 1] - accuracy[:, 0]
    return difference
