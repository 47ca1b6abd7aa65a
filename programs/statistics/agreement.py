"""The agreement of judges with each other. A figure is None if it is undefined."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from programs.schema import JudgeAgreement, JudgeRatings
from programs.statistics.counts import Spread

MIN_TRACES = 20
"""Agreement over fewer traces means nothing: two that two judges happen to rate alike have an alpha of 1."""
FAR_APART = 3
"""If two judges' overall ratings differ by this much or more, the trace is worth a look."""


def krippendorff_alpha(things: Mapping[tuple[float, ...], int]) -> float | None:
    """Agreement of any number of raters on an interval scale: 1 is perfect, 0 chance, below 0 systematic disagreement.
    `things` counts the rated things by their ratings, with missing ratings left out. (The package of that name takes them
    one by one, so its memory grows with their number.) None if no ratings can be compared, or if all of those are equal.

    Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), University of Pennsylvania.
    """
    pooled: Counter[float] = Counter()
    observed = 0.0
    # Sorted, so that the floating-point sum does not depend on the order of the things.
    for ratings, count in sorted(things.items()):
        if len(ratings) > 1:
            for rating in ratings:
                pooled[rating] += count
            observed += sum((a - b) ** 2 for a, b in permutations(ratings, 2)) / (len(ratings) - 1) * count
    expected = sum((a - b) ** 2 * count_a * count_b for a, count_a in pooled.items() for b, count_b in pooled.items())
    return None if expected == 0 else 1 - (pooled.total() - 1) * observed / expected


class AgreementCount:
    """Counts the agreement of judges one trace at a time, in bounded memory. `judges` has each judge's overall ratings."""

    def __init__(self) -> None:
        self.judges: defaultdict[str, Spread] = defaultdict(Spread)
        self._counts: Counter[tuple[float, ...]] = Counter()

    def add(self, verdicts: Sequence[Mapping[str, Any]]) -> None:
        """Counts one trace's verdicts, given as dicts of `programs.record_parts.Verdict`."""
        ratings: dict[str, int | None] = {verdict["judge"]: verdict.get("overall") for verdict in verdicts}
        for judge, rating in ratings.items():
            self.judges[judge].add(rating)
        self._counts[tuple(sorted(rating for rating in ratings.values() if rating is not None))] += 1

    def result(self) -> JudgeAgreement | None:
        if not self.judges:
            return None
        traces = sum(count for ratings, count in self._counts.items() if len(ratings) > 1)
        alpha = krippendorff_alpha(self._counts) if traces >= MIN_TRACES else None
        judges = {
            judge: JudgeRatings(rated=spread.known, mean=_rounded(spread.mean), unscored=spread.missing)
            for judge, spread in sorted(self.judges.items())
        }
        return JudgeAgreement(judges=judges, traces=traces, alpha=_rounded(alpha))


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4)


def agreement_in_words(agreement: JudgeAgreement) -> Iterator[str]:
    """Lines for the terminal: the judges' mean ratings, and the agreement of several judges."""
    means = [
        f"{judge} {'unknown' if ratings.mean is None else f'{ratings.mean:.2f}'} over {ratings.rated} ratings"
        + (f", {ratings.unscored} verdicts missing" if ratings.unscored else "")
        for judge, ratings in agreement.judges.items()
    ]
    yield f"judges' mean ratings: {'; '.join(means)}"
    if len(agreement.judges) > 1:
        alpha = "unknown" if agreement.alpha is None else f"{agreement.alpha:.3f}"
        yield f"agreement over {agreement.traces} traces that two or more judges rated: Krippendorff's alpha {alpha}"
