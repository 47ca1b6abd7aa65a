"""Invariants of agreement: measures give published numbers, and None where they are undefined; what a run counts as its
verdicts pass by are the figures of all ratings together, as the judges gave them, at a memory of the counts."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from programs.document_metadata import JudgeAgreement
from programs.statistics.agreement import LEAST_TRACES, AgreementCount, krippendorff_alpha, weighted_kappa

RATINGS = st.lists(st.tuples(st.integers(1, 10), st.integers(1, 10)), min_size=1, max_size=30)


def of_table(table: Sequence[Sequence[int]]) -> float | None:
    """The kappa of a table of counts, the first rater in rows."""
    return weighted_kappa({(row, at): n for row, counts in enumerate(table) for at, n in enumerate(counts)})


def of_lists(first: Sequence[float], second: Sequence[float]) -> float | None:
    return weighted_kappa(Counter(zip(first, second, strict=True)))


# Boyd et al. (1982), 85 mammograms read by two radiologists; Altman (1991) and Stata's manual, entry kappa.
MAMMOGRAMS = [[21, 12, 0, 0], [4, 17, 1, 0], [3, 9, 15, 2], [0, 0, 0, 1]]


def test_weighted_kappa_of_published_tables() -> None:
    assert of_table([[20, 5], [10, 15]]) == pytest.approx(0.4), "of two categories it is Cohen's own"
    assert of_table(MAMMOGRAMS) == pytest.approx(0.6714, abs=5e-5)
    # The examples of the ml_metrics package, by which competitions have been scored.
    assert of_lists([1, 2, 1], [1, 2, 2]) == pytest.approx(0.4)
    assert of_lists([1, 2, 3, 1, 2, 2, 3], [1, 2, 3, 1, 2, 3, 2]) == pytest.approx(0.75)


@given(RATINGS)
def test_weighted_kappa_is_a_correlation_that_pays_for_bias(ratings: list[tuple[int, int]]) -> None:
    """Lin's concordance: 2 cov / (var + var + (difference of means)^2), which quadratic weights come to."""
    (first, second), count = zip(*ratings, strict=True), len(ratings)
    found = weighted_kappa(Counter(ratings))
    mean, other_mean = sum(first) / count, sum(second) / count
    spread = sum((one - mean) ** 2 for one in first) + sum((other - other_mean) ** 2 for other in second)
    spread = spread / count + (mean - other_mean) ** 2
    if spread == 0:
        assert found is None
    else:
        covariance = sum((one - mean) * (other - other_mean) for one, other in ratings) / count
        assert found == pytest.approx(2 * covariance / spread, abs=1e-9)


# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011): four observers, twelve units, section E.
FOUR = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
# The example of the encyclopedia's article on the coefficient: three coders, fifteen units.
THREE = [
    [None, None, None, None, None, 3, 4, 1, 2, 1, 1, 3, 3, None, 3],
    [1, None, 2, 1, 3, 3, 4, 3, None, None, None, None, None, None, None],
    [None, None, 2, 1, 3, 4, 4, None, 2, 1, 1, 3, 3, None, 4],
]


def alpha(ratings: Sequence[Sequence[float | None]]) -> float | None:
    """Of a row for each rater and a column for each thing."""
    columns = zip(*ratings, strict=True)
    return krippendorff_alpha(Counter(tuple(one for one in column if one is not None) for column in columns))


def test_krippendorff_alpha_of_published_data() -> None:
    assert alpha(FOUR) == pytest.approx(0.849, abs=5e-4)
    assert alpha(THREE) == pytest.approx(0.811, abs=5e-4)


def test_what_is_undefined_is_none() -> None:
    assert of_lists([], []) is None
    assert of_lists([3, 3], [3, 3]) is None
    assert of_lists([3, 3], [4, 4]) == 0
    assert alpha([]) is None
    assert alpha([[1, None], [None, 2]]) is None
    assert alpha([[2, 2], [2, 2]]) is None


Rows = list[list[int | None]]
"""A row a trace, a column a judge."""

JUDGES = ("a", "b", "c")
TRACES = st.lists(st.lists(st.none() | st.integers(1, 10), min_size=3, max_size=3), max_size=50)


def verdicts(ratings: list[int | None]) -> list[dict[str, Any]]:
    return [
        {"judge": judge, "scored": rating is not None, "overall": rating}
        for judge, rating in zip(JUDGES, ratings, strict=False)
    ]


def agreement_of(traces: Rows) -> JudgeAgreement | None:
    count = AgreementCount()
    for ratings in traces:
        count.add(verdicts(ratings))
    return count.result()


def rounded(value: float | None) -> set[float | None]:
    """The figure to four digits. One that lies between two, but for the last bits of its arithmetic, may go either way."""
    return {None} if value is None else {round(value + last_bits, 4) for last_bits in (-1e-12, 0.0, 1e-12)}


@given(TRACES, st.randoms())
@example([[1, 8, None], [6, 8, 1], [7, 4, None], [8, 10, None]] * 6, random.Random(0))
@example([[None, 1, 8], [None, 4, 7], [None, 8, 10]] * 7, random.Random(0))
def test_counted_one_by_one_they_are_the_figures_of_all(traces: Rows, dice: random.Random) -> None:
    found = agreement_of(traces)
    shuffled = dice.sample(traces, len(traces))
    assert agreement_of(shuffled) == found
    if not traces:
        assert found is None
        return
    assert found is not None
    columns: Rows = [list(column) for column in zip(*traces, strict=True)]
    assert found.traces == sum(sum(rating is not None for rating in row) > 1 for row in traces)
    assert found.alpha in rounded(alpha(columns) if found.traces >= LEAST_TRACES else None)
    for pair in found.pairs:
        first, second = (columns[JUDGES.index(judge)] for judge in pair.judges)
        both = [(one, other) for one, other in zip(first, second, strict=True) if one is not None and other is not None]
        kappa = weighted_kappa(Counter(both)) if len(both) >= LEAST_TRACES else None
        assert pair.traces == len(both)
        assert pair.weighted_kappa in rounded(kappa)
    for judge, column in zip(JUDGES, columns, strict=True):
        known = [rating for rating in column if rating is not None]
        assert found.judges[judge].rated == len(known)
        assert found.judges[judge].unscored == len(column) - len(known)


def test_a_few_traces_tell_no_agreement() -> None:
    few, enough = agreement_of([[9, 9], [2, 2]]), agreement_of([[9, 9], [2, 2]] * 10)
    assert few is not None
    assert enough is not None
    assert (few.traces, few.alpha, few.pairs[0].weighted_kappa) == (2, None, None)
    assert (enough.alpha, enough.pairs[0].weighted_kappa) == (1.0, 1.0)
