"""From what a pilot's texts took to what the whole run will take, with error bars. Pure.

The texts of a pilot are a simple random sample without replacement of all n of N. The total is N times their mean; with
--max-traces it is that of the texts which so many traces need, at the rate at which these gave them. Its interval is the
bias-corrected and accelerated bootstrap's over the texts (see `programs.interval`), with two corrections: it is widened for
few texts, which resampling takes for less different than they are (expanded percentiles: Hesterberg, "What teachers should
know about the bootstrap", The American Statistician 69 (2015), 371-386), and narrowed by the square root of 1 - n/N, since
the pilot's own part of the total is known (Cochran, Sampling Techniques (1977), section 2.6).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from programs.interval import bca_bounds

Numbers = NDArray[np.float64]

CONFIDENCE = 0.9
FEWEST = 5
"""Texts below which no interval is given."""

RESAMPLES = 4000
SEED = 0


@dataclass(frozen=True)
class Taken:
    """What a text took over all runs of the journal, and the accepted traces that it has. None: unknown."""

    calls: int
    tokens_read: int | None
    tokens_written: int | None
    cost: float | None
    seconds: float
    traces: int


class Amount(BaseModel):
    """A total that is foretold: from `low` to `high` with 90% confidence (None: too few texts to say)."""

    value: float
    low: float | None = None
    high: float | None = None


class Extrapolation(BaseModel):
    """What the whole run is foretold to take, the pilot included, from the `pilot` texts of `chosen` that were driven to
    their end. `texts` are those that it goes through, of `of` in the input; amounts are None where servers or prices do not
    tell them.

    `seconds` are those that are left, at `concurrency` calls at once; the pilot had `in_flight` on the mean, and servers
    refused `refused` calls for the sake of their rate. `spent` is what all runs have spent of the amounts of these names.
    """

    pilot: int
    chosen: int
    of: int
    confidence: float = CONFIDENCE
    texts: Amount
    traces: Amount
    calls: Amount
    tokens_read: Amount | None
    tokens_written: Amount | None
    cost: Amount | None
    seconds: Amount
    concurrency: int
    in_flight: float
    refused: int
    spent: dict[str, float]


@dataclass(frozen=True)
class Whole:
    """What there is to go through: `texts` in the input, of which at most `max_samples` are begun, until there are
    `max_traces`. Calls hold their places for `stretch` times the seconds in which servers answer them; the last text takes
    `tail` seconds alone."""

    texts: int
    max_samples: int | None
    max_traces: int | None
    concurrency: int
    stretch: float
    tail: float

    def needed(self, traces: Numbers) -> Numbers:
        """The texts that are gone through when a text gives so many traces on the mean."""
        most = float(self.texts if self.max_samples is None else min(self.texts, self.max_samples))
        if self.max_traces is None:
            return np.full_like(traces, most)
        with np.errstate(divide="ignore"):
            return np.minimum(most, self.max_traces / traces)


class Sampled:
    """The texts of a pilot, and what they say of the whole. There must be one at least."""

    def __init__(self, texts: Sequence[Taken], whole: Whole, resamples: int = RESAMPLES) -> None:
        self._whole = whole
        self._count = len(texts)
        names = [field.name for field in fields(Taken)]
        self._column = {name: number for number, name in enumerate(names)}
        self._table = np.array([[_number(getattr(text, name)) for name in names] for text in texts], dtype=np.float64)
        dice = np.random.default_rng(SEED)
        draws = (dice.integers(self._count, size=self._count) for _ in range(resamples))
        enough = self._count >= FEWEST
        self._resampled = np.array([self._table[draw].mean(axis=0) for draw in draws]) if enough else None

    def total(self, name: str) -> Amount | None:
        """What all texts take of an amount of `Taken`; None where it is unknown for some of the pilot's."""
        column = self._column[name]
        if np.isnan(self._table[:, column]).any():
            return None
        return self._amount(lambda means: self._needed(means) * means[..., column])

    def texts(self) -> Amount:
        """How many texts are gone through."""
        return self._amount(self._needed)

    def traces(self) -> Amount:
        """How many traces there will be."""
        most = self._whole.max_traces or math.inf
        column = self._column["traces"]
        return self._amount(lambda means: np.minimum(most, self._needed(means) * means[..., column]))

    def seconds(self) -> Amount:
        """How long the rest takes."""
        whole, column = self._whole, self._column["seconds"]

        def left(means: Numbers) -> Numbers:
            more = np.maximum(0.0, self._needed(means) - self._count)
            return more * means[..., column] * whole.stretch / whole.concurrency + np.where(more > 0, whole.tail, 0.0)

        return self._amount(left)

    def _needed(self, means: Numbers) -> Numbers:
        return self._whole.needed(means[..., self._column["traces"]])

    def _amount(self, total: Callable[[Numbers], Numbers]) -> Amount:
        mean = self._table.mean(axis=0)
        found = float(total(mean))
        if self._resampled is None:
            return Amount(value=found)
        resampled = total(self._resampled)
        if np.ptp(resampled) <= 1e-9 * max(1.0, abs(found)):
            return Amount(value=found, low=found, high=found)
        without = total((mean * self._count - self._table) / (self._count - 1))
        low, high = bca_bounds(found, resampled, without.mean() - without, _expanded(self._count))
        rest = math.sqrt(max(0.0, 1 - self._count / float(self._needed(mean))))
        return Amount(value=found, low=found - rest * (found - low), high=found + rest * (high - found))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _expanded(count: int) -> float:
    """The confidence with which a bootstrap over so few has the coverage of `CONFIDENCE`."""
    normal = NormalDist()
    z, degrees = normal.inv_cdf((1 + CONFIDENCE) / 2), count - 1
    # Student's t quantile, as a series: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    student = (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    )
    return 2 * normal.cdf(math.sqrt(count / degrees) * student) - 1
