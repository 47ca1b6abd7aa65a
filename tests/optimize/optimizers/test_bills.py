"""A bill is known before anything is asked, and keeps to the runs that the job allows."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimize.optimizers import OPTIMIZERS
from tests.optimize.optimizers.tuning import STAGES, example, small_laboratory


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@settings(max_examples=40, deadline=None)
@given(runs=st.integers(40, 3000), train=st.integers(1, 60), val=st.integers(1, 60), stages=st.integers(1, len(STAGES)))
def test_a_bill_keeps_to_the_runs(optimizer: str, runs: int, train: int, val: int, stages: int) -> None:
    lab = small_laboratory(
        Path("nowhere"),
        tunable=STAGES[:stages],
        runs=runs,
        train=[example(number) for number in range(train)],
        val=[example(number) for number in range(val)],
    )
    bill = lab.bill(optimizer)
    assert 0 < bill.runs <= runs
    assert bill.proposals >= (0 if optimizer in ("bootstrap", "random-search") else 1)
    assert lab.runs == lab.proposals == 0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_more_runs_are_never_less_work(optimizer: str) -> None:
    bills = [small_laboratory(Path("nowhere"), runs=runs).bill(optimizer).runs for runs in (40, 80, 160)]
    assert bills == sorted(bills)
