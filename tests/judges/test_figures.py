"""The interval of a difference in balanced accuracy.

1. Whole questions are drawn: more answers of the same kind to the same questions do not make it narrower.
2. Nothing is said where nothing is known. (How often it is right: tests/statistics/test_interval.py.)
"""

import numpy as np
import pytest

from programs.judges.figures import Pair, balanced_interval


def test_more_of_the_same_makes_it_no_narrower() -> None:
    dice = np.random.default_rng(1)
    pairs = [Pair(f"q{number % 30}", *map(bool, dice.integers(2, size=3))) for number in range(90)]
    once, often = (balanced_interval([pairs * times], seed=0, resamples=2000) for times in (1, 10))
    assert once is not None
    assert often is not None
    assert often.low == pytest.approx(once.low)
    assert often.high == pytest.approx(once.high)
    assert once.pairs == 30


def test_judges_are_averaged() -> None:
    better = [Pair(f"q{number}", number % 2 == 0, True, number % 2 == 0) for number in range(20)]
    same = [pair._replace(after=pair.before) for pair in better]
    alone, both = balanced_interval([better], seed=0), balanced_interval([better, same], seed=0)
    assert alone is not None
    assert both is not None
    assert (alone.difference, alone.low, alone.high) == (0.5, 0.5, 0.5)
    assert both.difference == 0.25


@pytest.mark.parametrize(
    "judges",
    [
        [],
        [[]],
        [[Pair("q", True, True, True), Pair("q", False, True, False)]],
        [[Pair("q", True, True, True), Pair("r", True, True, False)]],
        [[Pair("q", True, True, True), Pair("r", False, True, False)], []],
    ],
)
def test_nothing_is_said_where_nothing_is_known(judges: list[list[Pair]]) -> None:
    assert balanced_interval(judges, seed=0) is None


def test_a_class_in_one_question_only_still_has_an_interval() -> None:
    pairs = [Pair("q", False, True, False), *(Pair(f"r{number}", True, True, number > 2) for number in range(12))]
    found = balanced_interval([pairs], seed=0, resamples=2000)
    assert found is not None
    assert np.isfinite([found.low, found.high]).all()
    assert found.low <= found.difference <= found.high
