"""How far raters agree: a judge with people, or judges with each other. A figure is None where it is undefined."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from programs.schema import JudgeAgreement, JudgeRatings
from programs.statistics.counts import Spread

LEAST_TRACES = 20
"""Agreement over fewer says nothing: two traces that two judges rate alike by chance have an alpha of 1."""
FAR_APART = 3
"""From this difference between two judges' overall ratings on, a trace is worth a look."""


def krippendorff_alpha(things: Mapping[tuple[float, ...], int]) -> float | None:
    """Agreement of any number of raters on a scale (interval level): 1 is perfect, 0 chance, below 0 systematic
    disagreement. `things` says how many things got the same ratings, those that are missing left out. (The package of that
    name wants them thing by thing, at a memory that grows with them.) None where fewer than two ratings can be compared, or
    all of those are the same.

    Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), University of Pennsylvania.
    """
    pooled: Counter[float] = Counter()
    observed = 0.0
    # Sorted, so that the last bits do not hang on the order in which things came.
    for ratings, number in sorted(things.items()):
        if len(ratings) > 1:
            for rating in ratings:
                pooled[rating] += number
            observed += sum((one - other) ** 2 for one, other in permutations(ratings, 2)) / (len(ratings) - 1) * number
    expected = sum((one - other) ** 2 * many * more for one, many in pooled.items() for other, more in pooled.items())
    return None if expected == 0 else 1 - (pooled.total() - 1) * observed / expected


class AgreementCount:
    """How far judges agree, counted as verdicts pass by, at a bounded memory. `judges` has the overall ratings of each."""

    def __init__(self) -> None:
        self.judges: defaultdict[str, Spread] = defaultdict(Spread)
        self._columns: Counter[tuple[float, ...]] = Counter()

    def add(self, verdicts: Sequence[Mapping[str, Any]]) -> None:
        """Counts one trace's verdicts, in the form of a record (`programs.records.Verdict`)."""
        ratings: dict[str, int | None] = {verdict["judge"]: verdict.get("overall") for verdict in verdicts}
        for judge, rating in ratings.items():
            self.judges[judge].add(rating)
        self._columns[tuple(sorted(rating for rating in ratings.values() if rating is not None))] += 1

    def result(self) -> JudgeAgreement | None:
        if not self.judges:
            return None
        traces = sum(number for ratings, number in self._columns.items() if len(ratings) > 1)
        alpha = krippendorff_alpha(self._columns) if traces >= LEAST_TRACES else None
        judges = {
            judge: JudgeRatings(rated=given.known, mean=_rounded(given.mean), unscored=given.missing)
            for judge, given in sorted(self.judges.items())
        }
        return JudgeAgreement(judges=judges, traces=traces, alpha=_rounded(alpha))


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4)


def agreement_in_words(found: JudgeAgreement) -> Iterator[str]:
    """What the judges gave, and how far several of them agree, in lines for a person."""
    means = [
        f"{judge} gave {'unknown' if ratings.mean is None else f'{ratings.mean:.2f}'} on average, {ratings.rated} times"
        + (f", and no verdict {ratings.unscored} times" if ratings.unscored else "")
        for judge, ratings in found.judges.items()
    ]
    yield f"judges: {'; '.join(means)}"
    if len(found.judges) > 1:
        alpha = "unknown" if found.alpha is None else f"{found.alpha:.3f}"
        yield f"agreement, over {found.traces} that two judges or more rated: Krippendorff's alpha {alpha}"
