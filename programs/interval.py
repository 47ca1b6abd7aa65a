"""By how much scores changed, and how sure that is.

Ours rather than SciPy's `bootstrap`, which gives the same bounds (tests/test_interval.py): `scipy.stats` takes four
seconds to import, and has no place for resamples that have no value (`programs.judges.question_interval`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """The mean difference (after - before; above 0 is better) over `pairs` pairs, and the bounds between which it lies
    with this confidence. `left_out` pairs lacked a score."""

    difference: float
    low: float
    high: float
    pairs: int
    left_out: int
    confidence: float = CONFIDENCE


def paired_interval(
    before: Sequence[float | None], after: Sequence[float | None], *, seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """The interval of the mean difference between two lists of scores of the same things, in the same order.

    The bounds are the bias-corrected and accelerated (BCa) bootstrap's over the pairs (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, section 14.3). It follows skewed differences (many zeros, a few large gains),
    where the plain percentile interval lies off to one side. As every bootstrap it is too narrow for a handful of pairs.
    A pair with a missing score is left out. None for fewer than two pairs. Raises ValueError for lists of unlike length.
    """
    found = [new - old for old, new in zip(before, after, strict=True) if old is not None and new is not None]
    if len(found) < 2:
        return None
    values, dice = np.array(found, dtype=np.float64), np.random.default_rng(seed)
    mean, left_out = float(values.mean()), len(before) - len(found)
    # Values that are all alike differ by rounding errors alone.
    if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
        return Interval(mean, mean, mean, len(found), left_out)
    drawn = np.array([values[dice.integers(len(values), size=len(values))].mean() for _ in range(resamples)])
    # The jackknife's means are linear in the values.
    low, high = bca_bounds(mean, drawn, values - mean, CONFIDENCE)
    return Interval(mean, low, high, len(found), left_out)


def bca_bounds(found: float, resampled: Numbers, deviations: Numbers, confidence: float) -> tuple[float, float]:
    """The BCa bounds of a statistic: its value, its values for the resamples, and by how much each thing raises it (the
    jackknife's mean less its value without that thing, in any unit)."""
    normal, count = NormalDist(), len(resampled)
    # Ties count half, and no share is 0 or 1, whose quantiles are infinite.
    below = (np.count_nonzero(resampled < found) + np.count_nonzero(resampled == found) / 2) / count
    bias = normal.inv_cdf(min(max(below, 0.5 / count), 1 - 0.5 / count))
    spread = float((deviations**2).sum() ** 1.5)
    acceleration = float((deviations**3).sum()) / (6 * spread) if spread else 0.0
    shifted = [bias + normal.inv_cdf(tail) for tail in ((1 - confidence) / 2, (1 + confidence) / 2)]
    shares = [normal.cdf(bias + shift / (1 - acceleration * shift)) for shift in shifted]
    low, high = (float(np.quantile(resampled, share)) for share in shares)
    return low, high
