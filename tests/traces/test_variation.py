"""Invariants of `programs.traces.variation`.

1. The first variation has the base temperature; all 64 differ and stay in the range that servers take.
2. A temperature depends on the index and the base alone: more variations change none of those before.
3. A model without sampling has none.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.settings import Settings
from programs.traces.variation import temperature_of

MOST = 64


def test_the_most_variations_that_may_be_asked_for() -> None:
    assert Settings(traces_per_question=MOST).traces_per_question == MOST


@settings(deadline=None)
@given(st.integers(0, 40).map(lambda twentieth: twentieth / 20))
def test_the_first_is_the_base_and_none_are_alike(base: float) -> None:
    temperatures = [temperature_of(index, base) for index in range(MOST)]
    assert temperatures[0] == base
    assert len(set(temperatures)) == MOST
    assert all(value is not None and 0.2 <= value <= 1.2 for value in temperatures[1:])


@settings(deadline=None)
@given(st.floats(0, 2), st.integers(0, MOST - 1))
def test_a_temperature_depends_on_its_index_alone(base: float, index: int) -> None:
    assert temperature_of(index, base) == temperature_of(index, base, True)


@pytest.mark.parametrize("index", [0, 1, 7, 63])
def test_a_model_without_sampling_has_no_temperature(index: int) -> None:
    assert temperature_of(index, 0.7, takes_sampling=False) is None


def test_the_first_few_lie_far_apart() -> None:
    temperatures = sorted(temperature_of(index, 0.7) or 0.0 for index in range(5))
    assert min(after - before for before, after in itertools.pairwise(temperatures)) > 0.1


def test_known_values_do_not_change() -> None:
    assert [temperature_of(index, 0.7) for index in range(4)] == [0.7, 0.394, 0.889, 0.583]
