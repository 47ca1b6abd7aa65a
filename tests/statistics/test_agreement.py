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


def test_weighted_kappa_is_a_correlation_that_pays_for_bias() -> None:
    """Lin's concordance: 2 cov / (var + var + (difference of means)^2), which quadratic weights come to."""
    assert weighted_kappa(Counter([(1, 2), (2, 2), (3, 4)])) == pytest.approx(2 * (2 / 3) / (2 / 3 + 8 / 9 + 4 / 9))
    assert weighted_kappa(Counter([(1, 3), (2, 4), (3, 5)])) == pytest.approx(2 * (2 / 3) / (2 / 3 + 2 / 3 + 4))


# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011): four observers, twelve units, section E.
FOUR = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def alpha(ratings: Sequence[Sequence[float | None]]) -> float | None:
    """Of a row for each rater and a column for each thing."""
    columns = zip(*ratings, strict=True)
    return krippendorff_alpha(Counter(tuple(one for one in column if one is not None) for column in columns))


def test_krippendorff_alpha_of_published_data() -> None:
    assert alpha(FOUR) == pytest.approx(0.849, abs=5e-4)


def test_what_is_undefined_is_none() -> None:
    assert weighted_kappa({}) is weighted_kappa({(2, 2): 3}) is None
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
        assert found.judges[judge].mean in rounded(sum(known) / len(known) if known else None)
        assert found.judges[judge].unscored == len(column) - len(known)
