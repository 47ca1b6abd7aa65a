"""The interval of a mean difference contains the true value about as often as it claims, and is None for too few data."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.statistics.interval import MIN_BOOTSTRAP_SOURCES, Interval, interval_of_totals

Draw = Callable[[np.random.Generator], "np.ndarray[tuple[int], np.dtype[np.float64]]"]

DRAWS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda rng: rng.normal(0.1, 0.3, 40), 0.1),
    "skewed": (lambda rng: rng.exponential(0.2, 40), 0.2),
    "mostly zero": (lambda rng: rng.choice([0.0, 0.0, 0.0, 0.5, -0.25], 40), 0.05),
}


def interval(differences: npt.ArrayLike, seed: int = 0, resamples: int = 500) -> Interval:
    """The interval of at least two differences."""
    values = np.asarray(differences, dtype=np.float64)
    found = interval_of_totals(np.stack([values, np.ones(len(values))], axis=1), seed=seed, resamples=resamples)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", DRAWS)
def test_about_95_of_100_intervals_contain_the_true_difference(kind: str) -> None:
    draw, truth = DRAWS[kind]
    rng = np.random.default_rng(7)
    contained = 0
    for number in range(300):
        found = interval(draw(rng), number)
        contained += found.low <= truth <= found.high
    assert 0.90 <= contained / 300 <= 0.99


NO_DIFFERENCE: dict[str, tuple[Draw, float]] = {
    "normal, 3": (lambda rng: rng.normal(0, 0.3, 3), 0.045),
    "normal, 15": (lambda rng: rng.normal(0, 0.3, 15), 0.045),
    "rare large gains, 20": (lambda rng: np.where(rng.random(20) < 0.1, 0.9, -0.1), 0.015),
}


@pytest.mark.parametrize("kind", NO_DIFFERENCE)
def test_without_a_difference_an_interval_is_seldom_above_0(kind: str) -> None:
    """The nominal rate is 2.5%. The bootstrap alone: 13% of 3 sources, 7% of 8, and 5.6% of 20 with rare large gains."""
    (draw, max_share), rng, above = NO_DIFFERENCE[kind], np.random.default_rng(3), 0
    for number in range(400):
        above += interval(draw(rng), number, resamples=100).low > 0
    assert above / 400 <= max_share


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30), st.integers(0, 5), st.sampled_from([1, 200]))
def test_bounds_are_in_order_and_the_outer_one_is_within(differences: list[float], seed: int, resamples: int) -> None:
    found = interval(differences, seed, resamples)
    assert found == interval(differences, seed, resamples)
    assert found.low - 1e-9 <= found.difference <= found.high + 1e-9
    if len(differences) >= MIN_BOOTSTRAP_SOURCES:
        assert found.high <= max(differences) + 1e-9 or found.difference <= 0
        assert min(differences) - 1e-9 <= found.low or found.difference > 0
    assert found.pairs == len(differences)


def test_a_single_source_or_a_nan_has_no_interval() -> None:
    assert interval_of_totals(np.array([[1.0, 1.0]]), seed=0, resamples=100) is None
    assert interval_of_totals(np.array([[1.0, 1.0], [np.nan, 1.0]]), seed=0, resamples=100) is None
    assert interval_of_totals(np.array([[1.0, 1.0], [0.0, 1.0]]), seed=0, resamples=100) is not None
