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

_BLOCK = 1_000_000
"""Numbers drawn at once: 8 MB."""


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

    The bounds are the bias-corrected and accelerated (BCa) bootstrap's over the pairs: Efron, "Better bootstrap confidence
    intervals", Journal of the American Statistical Association 82 (1987), 171-185; Efron and Tibshirani, An Introduction
    to the Bootstrap (1993), section 14.3. It follows skewed differences (many zeros, a few large gains), where the plain
    percentile interval lies off to one side. As every bootstrap it is too narrow for a handful of pairs.
    A pair with a missing score is left out. None for fewer than two pairs. Raises ValueError for lists of unlike length.
    """
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if old is not None and new is not None]
    if len(pairs) < 2:
        return None
    differences = np.array([new - old for old, new in pairs], dtype=np.float64)
    low, high = _bounds(differences, np.random.default_rng(seed), resamples)
    return Interval(float(differences.mean()), low, high, len(pairs), len(before) - len(pairs))


def _bounds(values: Numbers, dice: np.random.Generator, resamples: int) -> tuple[float, float]:
    mean = float(values.mean())
    # Values that are all alike differ by rounding errors alone.
    if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
        return mean, mean
    # The jackknife's means are linear in the values.
    return bca_bounds(mean, _resampled(values, dice, resamples), values - mean, CONFIDENCE)


def bca_bounds(found: float, resampled: Numbers, deviations: Numbers, confidence: float) -> tuple[float, float]:
    """The BCa bounds of a statistic: its value, its values for the resamples, and by how much each thing raises it (the
    jackknife's mean less its value without that thing, in any unit)."""
    normal = NormalDist()
    # Ties count half, and no share is 0 or 1, whose quantiles are infinite.
    count = len(resampled)
    below = (np.count_nonzero(resampled < found) + np.count_nonzero(resampled == found) / 2) / count
    bias = normal.inv_cdf(min(max(below, 0.5 / count), 1 - 0.5 / count))
    acceleration = _acceleration(deviations)
    bounds = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        shifted = bias + normal.inv_cdf(tail)
        share = normal.cdf(bias + shifted / (1 - acceleration * shifted))
        bounds.append(float(np.quantile(resampled, share)))
    return bounds[0], bounds[1]


def _resampled(values: Numbers, dice: np.random.Generator, resamples: int) -> Numbers:
    """The means of so many samples drawn with replacement."""
    rows = max(1, _BLOCK // len(values))
    counts = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    return np.concatenate(
        [values[dice.integers(len(values), size=(count, len(values)))].mean(axis=1) for count in counts]
    )


def _acceleration(deviations: Numbers) -> float:
    """A sixth of the jackknife's skewness; 0 where nothing deviates."""
    spread = float((deviations**2).sum() ** 1.5)
    return float((deviations**3).sum()) / (6 * spread) if spread else 0.0
