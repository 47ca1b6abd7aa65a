"""Invariants of agreement: measures give published numbers, and None where they are undefined; what a run counts as its
verdicts pass by are the figures of all ratings together, as the judges gave them, at a memory of the counts."""

from collections import Counter
from collections.abc import Sequence

import pytest

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


JUDGES = ("a", "b", "c")
Rows = list[list[int | None]]


def agreement_of(traces: Rows) -> JudgeAgreement | None:
    """Of a row for each trace and a column for each judge."""
    count = AgreementCount()
    for ratings in traces:
        given = zip(JUDGES, ratings, strict=True)
        count.add([{"judge": judge, "scored": one is not None, "overall": one} for judge, one in given])
    return count.result()


def test_counted_one_by_one_they_are_the_figures_of_all() -> None:
    traces: Rows = [[1, 8, None], [6, 8, 1], [7, 4, None], [8, 10, None]] * 6
    found, columns = agreement_of(traces), [*zip(*traces, strict=True)]
    assert found is not None
    assert (found.traces, found.alpha) == (24, round(alpha(columns) or 0, 4))
    kappa = round(weighted_kappa(Counter([(1, 8), (6, 8), (7, 4), (8, 10)])) or 0, 4)
    assert [(pair.traces, pair.weighted_kappa) for pair in found.pairs] == [(24, kappa), (6, None), (6, None)]
    given = [(one.rated, one.unscored, one.mean) for one in found.judges.values()]
    assert given == [(24, 0, 5.5), (24, 0, 7.5), (6, 18, 1.0)]
    assert agreement_of(traces[::-1]) == found


def test_few_ratings_tell_no_agreement() -> None:
    few: Rows = [[7, None, None]] * LEAST_TRACES
    few += [[2, 7, 9]] * (LEAST_TRACES - 1)
    found = agreement_of(few)
    assert found is not None
    assert (found.traces, found.alpha) == (LEAST_TRACES - 1, None)
    assert [pair.weighted_kappa for pair in found.pairs] == [None] * 3
    assert agreement_of([]) is None
