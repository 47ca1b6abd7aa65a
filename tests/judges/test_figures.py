"""The interval of a difference in balanced accuracy.

1. It is right about as often as it says.
2. Whole questions are drawn: more answers of the same kind to the same questions do not make it narrower.
3. Nothing is said where nothing is known.
"""

import numpy as np
import pytest

from programs.judges.figures import Pair, balanced_interval


def drawn(dice: np.random.Generator, questions: int) -> list[Pair]:
    """Three answers to each question; whether a judge errs depends on the question. Agreement rises by 0.2."""
    pairs = []
    for number in range(questions):
        hard = dice.random() < 0.5
        for _ in range(3):
            truth = bool(dice.random() < 0.6)
            before = bool(dice.random() < (0.3 if hard else 0.8))
            after = bool(dice.random() < (0.5 if hard else 1.0))
            pairs.append(Pair(f"q{number}", truth, truth == before, truth == after))
    return pairs


def test_about_95_of_100_intervals_hold_the_true_difference() -> None:
    dice = np.random.default_rng(5)
    held = 0
    for number in range(200):
        found = balanced_interval([drawn(dice, 40)], seed=number, resamples=600)
        assert found is not None
        held += found.low <= 0.2 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_more_of_the_same_makes_it_no_narrower() -> None:
    pairs = drawn(np.random.default_rng(1), 30)
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
