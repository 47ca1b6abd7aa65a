"""Invariants of `programs.judges.judge_agreement`: counted as they pass, the figures are those of all ratings together.

1. Alpha and each pair's kappa are what `programs.judges.agreement` says of the whole lists, in whatever order traces come.
2. They are None where they are undefined: for a single judge, for fewer than two traces, where all ratings are the same.
3. An unscored verdict is counted as one and rates nothing. A calibrated rating counts as the judge gave it.
4. Memory is that of the counts: so many traces more make it no larger.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from programs.document_metadata import JudgeAgreement
from programs.judges.agreement import krippendorff_alpha, weighted_kappa
from programs.judges.judge_agreement import AgreementCount, agreement_in_words, ratings_in_words

Rows = list[list[int | None]]
"""A row a trace, a column a judge."""

JUDGES = ("a", "b", "c")
TRACES = st.lists(st.lists(st.none() | st.integers(1, 10), min_size=3, max_size=3), max_size=25)


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


@settings(deadline=None)
@given(TRACES, st.randoms())
@example([[1, 8, None], [6, 8, 1], [7, 4, None], [8, 10, None]], random.Random(0))
@example([[None, 1, 8], [None, 4, 7], [None, 8, 10]], random.Random(0))
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
    alpha = krippendorff_alpha(columns) if found.traces > 1 else None
    assert found.alpha in rounded(alpha)
    for pair in found.pairs:
        first, second = (columns[JUDGES.index(judge)] for judge in pair.judges)
        both = [(one, other) for one, other in zip(first, second, strict=True) if one is not None and other is not None]
        kappa = weighted_kappa([one for one, _ in both], [other for _, other in both]) if len(both) > 1 else None
        assert pair.traces == len(both)
        assert pair.weighted_kappa in rounded(kappa)
    for judge, column in zip(JUDGES, columns, strict=True):
        known = [rating for rating in column if rating is not None]
        assert found.judges[judge].rated == len(known)
        assert found.judges[judge].unscored == len(column) - len(known)


@pytest.mark.parametrize("traces", [[[4]] * 5, [[3, 8]], [[None, 8], [4, None]], [[6, 6], [6, 6]]])
def test_what_is_undefined_is_none(traces: Rows) -> None:
    found = agreement_of(traces)
    assert found is not None
    assert found.alpha is None
    assert [pair.weighted_kappa for pair in found.pairs] == [None] * len(found.pairs)


def test_ratings_count_as_the_judges_gave_them() -> None:
    plain, calibrated = AgreementCount(), AgreementCount()
    for first, second in [(4, 9), (6, 8), (2, 7)]:
        plain.add(verdicts([first, second]))
        calibrated.add(
            [
                {"judge": "a", "overall": first + 1.5, "raw_overall": first},
                {"judge": "b", "overall": second - 2.0, "raw_overall": second},
            ]
        )
    assert calibrated.result() == plain.result()


def test_more_traces_make_it_no_larger() -> None:
    few, many = AgreementCount(), AgreementCount()
    rows: Rows = [[one, other, 5] for one in range(1, 11) for other in range(1, 11)]
    for row in rows:
        few.add(verdicts(row))
    for row in rows * 20:
        many.add(verdicts(row))
    sizes = [[len(count._columns), *(len(pairs) for pairs in count._pairs.values())] for count in (few, many)]
    assert sizes[0] == sizes[1]


def test_a_person_is_told() -> None:
    found = agreement_of([[3, 4, None], [8, 8, None], [5, 7, None]])
    assert found is not None
    assert ratings_in_words(found) == (
        "judges: a gave 5.33 on average, 3 times; b gave 6.33 on average, 3 times; "
        "c gave unknown on average, 0 times, and no verdict 3 times"
    )
    assert agreement_in_words(found) == (
        "agreement, over 3 that two judges or more rated: Krippendorff's alpha 0.818; "
        "weighted kappa of a and b 0.794, a and c unknown, b and c unknown"
    )
