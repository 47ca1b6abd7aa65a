"""The proof: what a program is worth on texts that no optimizer saw, before and after, and how sure that is."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pydantic import BaseModel

from optimize.measure import Measured
from optimize.metrics import combined
from programs.statistics.interval import Interval, Numbers, interval_of

FEWEST_SOURCES = 20
"""With fewer test sources nothing is called better. Where nothing changed, the interval of 8 lies above 0 for 2% of draws
(8% where losses are rarer and larger than gains), that of 20 for 0.3 to 3% (6%): `python -m tests.bench.proof`."""


class Compared(BaseModel):
    """A metric's mean before and after over the `pairs` with both scores, and the interval of the difference, if known."""

    before: float | None
    after: float | None
    pairs: int
    interval: Interval | None


class Failures(BaseModel):
    """How often a stage's first try failed, of how often it was asked."""

    failed_before: int
    asked_before: int
    failed_after: int
    asked_after: int

    @classmethod
    def of(cls, before: Sequence[bool], after: Sequence[bool]) -> "Failures":
        """From whether each first try failed."""
        return cls(failed_before=sum(before), asked_before=len(before), failed_after=sum(after), asked_after=len(after))


class Proof(BaseModel):
    """A comparison over the test split, one text a source. `unscored_before` and `unscored_after` count texts without a
    score, which are not compared. `improved`: the composite's interval lies above 0, over sources enough."""

    composite: Compared
    metrics: dict[str, Compared]
    stages: dict[str, Failures]
    unscored_before: int = 0
    unscored_after: int = 0

    @property
    def improved(self) -> bool:
        interval = self.composite.interval
        return interval is not None and interval.low > 0 and self.composite.pairs >= FEWEST_SOURCES


def prove(before: Sequence[Measured], after: Sequence[Measured], *, seed: int, weights: Mapping[str, float]) -> Proof:
    """Compares two programs' measures, by these weights, of the same examples in the same order."""
    both = [*zip(before, after, strict=True)]
    names = list(dict.fromkeys(name for measured in [*before, *after] for name in measured.metrics))
    stages = list(dict.fromkeys(stage for measured in [*before, *after] for stage in measured.stages))
    return Proof(
        composite=_means([_comparable(one, other, weights) for one, other in both], seed),
        metrics={
            name: _means([(_value(one, name), _value(other, name)) for one, other in both], seed) for name in names
        },
        stages={stage: Failures.of(_failed(before, stage), _failed(after, stage)) for stage in stages},
        unscored_before=sum(m.score.value is None for m in before),
        unscored_after=sum(m.score.value is None for m in after),
    )


def _failed(side: Sequence[Measured], stage: str) -> list[bool]:
    return [one.stages[stage] is not None for one in side if stage in one.stages]


Pair = tuple[float | None, float | None]
Figure = Callable[[Numbers], Numbers]
"""From sums of rows, with any number of axes before them, to what a figure was before and is after (its last axis)."""


def _comparable(one: Measured, other: Measured, weights: Mapping[str, float]) -> Pair:
    """Both scores over the metrics that both have: evidence that was chosen on one side alone must not look like a change.
    A program that gave no trace keeps its 0; a side without a score leaves nothing to compare."""
    if one.score.value is None or other.score.value is None:
        return None, None
    if one.record is None or other.record is None:
        return one.score.value, other.score.value
    shared = [name for name in weights if None not in (_value(one, name), _value(other, name))]
    old, new = (combined({name: m.metrics[name] for name in shared}, weights).value for m in (one, other))
    return old, new


def _value(measured: Measured, name: str) -> float | None:
    return measured.metrics[name].value if name in measured.metrics else None


def _means(pairs: Sequence[Pair], seed: int) -> Compared:
    rows = [(old, new, 1.0) for old, new in pairs if old is not None and new is not None]
    totals = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return compared(totals, lambda sums: np.asarray(sums[..., :2] / sums[..., 2:]), len(rows), seed)


def compared(totals: Numbers, figure: Figure, pairs: int, seed: int) -> Compared:
    """A figure over things that are independent of each other, each a row of `totals`; one of zeros alone tells nothing."""
    totals = totals[totals.any(axis=tuple(range(1, totals.ndim)))]
    with np.errstate(all="ignore"):
        sides = [float(value) if np.isfinite(value) else None for value in figure(totals.sum(axis=0))]
    interval = interval_of(totals, lambda sums: np.diff(figure(sums))[..., 0], seed=seed)
    return Compared(before=sides[0], after=sides[1], pairs=pairs, interval=interval)
