"""How far the judges of a run agree, counted as their verdicts pass by: memory does not grow with the journal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from programs.document_metadata import JudgeAgreement, JudgeRatings, PairAgreement
from programs.judges.agreement import krippendorff_alpha_of, weighted_kappa_of

LEAST_TRACES = 2
"""Agreement over fewer says nothing."""


class AgreementCount:
    """Counts the verdicts of judged traces. What is counted are the ratings as the judges gave them, before any
    calibration."""

    def __init__(self) -> None:
        self._judges: dict[str, Counter[int | None]] = {}
        self._pairs: dict[tuple[str, str], Counter[tuple[float, float]]] = {}
        self._columns: Counter[tuple[float, ...]] = Counter()

    def add(self, verdicts: Sequence[Mapping[str, Any]]) -> None:
        """Counts one trace's verdicts, in the form of a record (`programs.records.Verdict`)."""
        ratings = {verdict["judge"]: rating_of(verdict) for verdict in verdicts}
        for judge, rating in ratings.items():
            self._judges.setdefault(judge, Counter())[rating] += 1
        rated = sorted((judge, rating) for judge, rating in ratings.items() if rating is not None)
        for (one, first), (other, second) in combinations(rated, 2):
            self._pairs.setdefault((one, other), Counter())[first, second] += 1
        self._columns[tuple(sorted(rating for _, rating in rated))] += 1

    def result(self, to_review: int = 0) -> JudgeAgreement | None:
        """What was counted, with the length of the review list; None where nothing was."""
        if not self._judges:
            return None
        traces = sum(number for ratings, number in self._columns.items() if len(ratings) > 1)
        return JudgeAgreement(
            judges={judge: _ratings(counts) for judge, counts in sorted(self._judges.items())},
            traces=traces,
            alpha=_rounded(krippendorff_alpha_of(self._columns)) if traces >= LEAST_TRACES else None,
            pairs=[
                _pair(one, other, self._pairs.get((one, other), Counter()))
                for one, other in combinations(sorted(self._judges), 2)
            ],
            to_review=to_review,
        )


def rating_of(verdict: Mapping[str, Any]) -> int | None:
    """The overall rating as the judge gave it."""
    raw: int | None = verdict.get("raw_overall")
    return verdict.get("overall") if raw is None else raw


def _ratings(counts: Counter[int | None]) -> JudgeRatings:
    known = {rating: number for rating, number in counts.items() if rating is not None}
    rated = sum(known.values())
    mean = sum(rating * number for rating, number in known.items()) / rated if rated else None
    return JudgeRatings(rated=rated, mean=_rounded(mean), unscored=counts[None])


def _pair(one: str, other: str, counts: Counter[tuple[float, float]]) -> PairAgreement:
    traces = counts.total()
    kappa = weighted_kappa_of(counts) if traces >= LEAST_TRACES else None
    return PairAgreement(judges=[one, other], traces=traces, weighted_kappa=_rounded(kappa))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def ratings_in_words(found: JudgeAgreement) -> str:
    """What the judges gave, for a person."""
    means = [
        f"{judge} gave {_shown(ratings.mean, 2)} on average, {ratings.rated} times"
        + (f", and no verdict {ratings.unscored} times" if ratings.unscored else "")
        for judge, ratings in found.judges.items()
    ]
    return f"judges: {'; '.join(means)}"


def agreement_in_words(found: JudgeAgreement) -> str:
    """How far they agree, for a person; empty for a single judge."""
    if not found.pairs:
        return ""
    kappas = [f"{' and '.join(pair.judges)} {_shown(pair.weighted_kappa, 3)}" for pair in found.pairs]
    return (
        f"agreement, over {found.traces} that two judges or more rated: Krippendorff's alpha {_shown(found.alpha, 3)}; "
        f"weighted kappa of {', '.join(kappas)}"
    )


def _shown(value: float | None, digits: int) -> str:
    return "unknown" if value is None else f"{value:.{digits}f}"
