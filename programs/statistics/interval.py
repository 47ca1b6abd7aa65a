"""By how much a figure of many things differs, and how sure that is."""

import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

CONFIDENCE = 0.95
FEW = 20
"""Of fewer things the bootstrap is too narrow: where nothing differs, its interval lies above 0 for 13% of draws of 3 and
7% of draws of 8. Student's t does for 2 to 3%, where the differences are not skewed."""
RESAMPLES = 10_000
_BLOCK = 1_000_000
"""Numbers drawn at once: 8 MB."""


@dataclass(frozen=True)
class Interval:
    """A figure over `pairs` things (above 0 is better), and the bounds between which it lies (with `CONFIDENCE`)."""

    difference: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.difference:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


def interval_of(totals: Numbers, *, seed: int, resamples: int = RESAMPLES) -> Interval | None:
    """The interval of the mean of values of things that are independent of each other: each thing has a row of `totals`
    (`by_source`), and `pairs` of the result counts the rows.

    The bounds are those of the BCa bootstrap, which follows skewed differences (Efron and Tibshirani, An Introduction to
    the Bootstrap, 1993, section 14.3), widened to those of Student's t (jackknife): on both sides below `FEW` rows, on the
    side of 0 always. Equal values: both bounds are the value. None: fewer than two rows, or a value that is no number.
    """
    # Takes seconds to import: here, since whatever needs an interval has worked for minutes.
    from scipy import stats

    count = len(totals)
    if count < 2 or not np.isfinite(totals).all():
        return None

    def mean(sums: Numbers) -> Numbers:
        return np.asarray(sums[..., 0] / sums[..., 1])

    whole, without = float(mean(totals.sum(axis=0))), mean(totals.sum(axis=0) - totals)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # SciPy's, where resamples are all alike, which is looked for below.
        warnings.simplefilter("ignore")
        found = stats.bootstrap(
            (np.arange(count),),
            # Things are drawn by their place, along the last axis; what a thing has may have axes of its own.
            lambda drawn, axis: mean(totals[drawn].sum(axis=drawn.ndim + axis)),
            n_resamples=resamples,
            batch=max(1, _BLOCK // totals.size),
            vectorized=True,
            confidence_level=CONFIDENCE,
            method="BCa",
            rng=np.random.default_rng(seed),
        )
    # Values that are all alike differ by rounding errors alone.
    if np.ptp(found.bootstrap_distribution) <= 1e-12 * max(1.0, abs(whole)):
        return Interval(whole, whole, whole, count)
    # Where all resamples lie on one side of the whole, there are no BCa bounds.
    low, high = (whole if np.isnan(bound) else float(bound) for bound in found.confidence_interval)
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * np.sqrt((count - 1) * without.var()))
    if count < FEW or whole > 0:
        low = min(low, whole - reach)
    if count < FEW or whole <= 0:
        high = max(high, whole + reach)
    return Interval(whole, low, high, count)


def by_source(values: Iterable[tuple[str, float]]) -> Numbers:
    """The values of each source as a row: their sum and their count."""
    sums = defaultdict[str, list[float]](lambda: [0.0, 0.0])
    for source, value in values:
        sums[source][0] += value
        sums[source][1] += 1
    return np.array([*sums.values()]).reshape(-1, 2)


def interval_over(values: Iterable[tuple[str, float]], *, seed: int) -> Interval | None:
    """The interval of the mean of values, each with its source: what is of one source is one draw. None for fewer than two
    sources."""
    return interval_of(by_source(values), seed=seed)
