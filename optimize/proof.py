"""The proof: what a program is worth on texts that no optimizer saw, before and after."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from optimize.measure import Measured
from optimize.metrics import combined, diversity
from programs.statistics.interval import Interval, paired_interval


class Compared(BaseModel):
    """A metric's mean before and after over the `pairs` that have both scores, and the interval of the difference (None
    with fewer than two)."""

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


FEWEST_SOURCES = 20
"""With fewer test sources nothing is called better: the bootstrap of so few is too narrow. Where nothing changed, its 95%
interval lies above 0 for 13% of draws of 3 differences, for 6 to 12% of 8, and for 3% of 30, as it should."""


class Proof(BaseModel):
    """A comparison over the test split, one text a source. `unscored_before` and `unscored_after` count texts without a
    score, which are not compared. `improved`: the composite's interval lies above 0, over sources enough."""

    composite: Compared
    metrics: dict[str, Compared]
    stages: dict[str, Failures]
    unscored_before: int = 0
    unscored_after: int = 0
    diversity_before: float | None = None
    diversity_after: float | None = None

    @property
    def improved(self) -> bool:
        interval = self.composite.interval
        return interval is not None and interval.low > 0 and self.composite.pairs >= FEWEST_SOURCES


def prove(before: Sequence[Measured], after: Sequence[Measured], *, seed: int, weights: Mapping[str, float]) -> Proof:
    """Compares two programs' measures, by these weights, of the same examples in the same order."""
    names = list(dict.fromkeys(name for measured in [*before, *after] for name in measured.metrics))
    stages = list(dict.fromkeys(stage for measured in [*before, *after] for stage in measured.stages))
    pairs = [_comparable(one, other, weights) for one, other in zip(before, after, strict=True)]
    composite = _compared([old for old, _ in pairs], [new for _, new in pairs], seed)
    return Proof(
        composite=composite,
        metrics={name: _compared(_values(before, name), _values(after, name), seed) for name in names},
        stages={
            stage: Failures(
                failed_before=sum(m.stages.get(stage) is not None for m in before),
                asked_before=sum(stage in m.stages for m in before),
                failed_after=sum(m.stages.get(stage) is not None for m in after),
                asked_after=sum(stage in m.stages for m in after),
            )
            for stage in stages
        },
        unscored_before=sum(m.score.value is None for m in before),
        unscored_after=sum(m.score.value is None for m in after),
        diversity_before=diversity([m.record for m in before if m.record]).value,
        diversity_after=diversity([m.record for m in after if m.record]).value,
    )


def _comparable(one: Measured, other: Measured, weights: Mapping[str, float]) -> tuple[float | None, float | None]:
    """Both scores over the metrics that both have: evidence that was chosen on one side alone must not look like a change.
    A program that gave no trace keeps its 0; a side without a score leaves nothing to compare."""
    if one.score.value is None or other.score.value is None:
        return None, None
    if one.record is None or other.record is None:
        return one.score.value, other.score.value
    shared = [name for name in weights if one.metrics[name].value is not None and other.metrics[name].value is not None]
    old, new = (combined({name: m.metrics[name] for name in shared}, weights).value for m in (one, other))
    return old, new


def _values(measures: Sequence[Measured], name: str) -> list[float | None]:
    return [m.metrics[name].value if name in m.metrics else None for m in measures]


def _compared(before: list[float | None], after: list[float | None], seed: int) -> Compared:
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a is not None and b is not None]
    count = len(pairs)
    return Compared(
        before=sum(a for a, _ in pairs) / count if count else None,
        after=sum(b for _, b in pairs) / count if count else None,
        pairs=count,
        interval=paired_interval(before, after, seed=seed),
    )
