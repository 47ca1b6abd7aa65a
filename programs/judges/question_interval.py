"""How sure a figure is where several answers belong to one question: by how much balanced accuracy changed, or a mean.

Whole questions are drawn again, since answers to one question are not independent; the bounds are the bias-corrected and
accelerated ones of `programs.interval`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from programs.interval import CONFIDENCE, RESAMPLES, Interval, Numbers, bca_bounds

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


def balanced_interval(judges: Sequence[Sequence[Pair]], *, seed: int, resamples: int = RESAMPLES) -> Interval | None:
    """The interval of the difference in balanced accuracy (after - before), the mean over the judges.

    The same questions are drawn for every judge and both times. Resamples in which people found no answer right, or none
    wrong, say nothing and are left out. `pairs` of the result counts questions. None with fewer than two questions,
    without judges, or where a judge has no right or no wrong answers.
    """
    names = sorted({pair.question for pairs in judges for pair in pairs})
    if not judges:
        return None
    return _interval(partial(_differences, _counts(judges, names)), len(names), seed, resamples)


def mean_interval(values: Sequence[tuple[str, float]], *, seed: int) -> Interval | None:
    """The mean of numbers that each belong to a question, as the `difference` of an interval whose `pairs` counts
    questions. None with fewer than two questions."""
    place = {name: number for number, name in enumerate(sorted({question for question, _ in values}))}
    sums, counts = np.zeros(len(place)), np.zeros(len(place))
    for question, value in values:
        sums[place[question]] += value
        counts[place[question]] += 1

    def means(weights: Numbers) -> Numbers:
        with np.errstate(invalid="ignore"):
            found: Numbers = (weights @ sums) / (weights @ counts)
        return found

    return _interval(means, len(place), seed)


def _interval(
    statistic: Callable[[Numbers], Numbers], questions: int, seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """The interval of a statistic of how often each question counts: from rows of weights to a number each, which is not
    a number where nothing can be said."""
    whole = float(statistic(np.ones((1, questions)))[0]) if questions > 1 else np.nan
    if not np.isfinite(whole):
        return None
    dice = np.random.default_rng(seed)
    drawn = np.concatenate([statistic(weights) for weights in _weights(dice, questions, resamples)])
    drawn = drawn[np.isfinite(drawn)]
    if np.ptp(drawn) <= 1e-12:
        return Interval(whole, whole, whole, questions, 0)
    without = statistic(1 - np.eye(questions))
    # A question without which nothing could be said has no influence that could be told.
    without[~np.isfinite(without)] = whole
    low, high = bca_bounds(whole, drawn, without.mean() - without, CONFIDENCE)
    return Interval(whole, low, high, questions, 0)


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
