"""What a compilation costs, told before: the calls that a run really makes are those that it is said to make, a limit of
calls takes runs away, and too low a limit is refused with the least that would do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimize.costs import FEWEST_RUNS, TRACE_CALLS, Share, proof_calls, runs_within, share_of, tuning_calls
from optimize.job import Bill
from optimize.stages import STAGES, WRITERS
from programs.errors import UserError
from tests.making import Answers
from tests.optimize.asked import prediction


def test_a_trace_takes_so_many_calls() -> None:
    answers = Answers()
    prediction(answers)
    assert len(answers.asked) == TRACE_CALLS
    assert proof_calls(tests=5, report_judging=3) == 2 * 5 * (TRACE_CALLS + 3)


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_asks_what_stands_before_once_and_its_own_every_time(stage: str) -> None:
    answers = Answers()
    prediction(answers)
    earlier = [ask for ask in answers.asked if STAGES[ask.stage].depth < STAGES[stage].depth]
    found = share_of(stage, judging=2)
    assert found.before == len(earlier)
    assert found.own == (TRACE_CALLS - len(earlier) + 2 if stage in WRITERS else 1)
    assert share_of("all", judging=2) == Share(0, TRACE_CALLS + 2)


def test_tuning_is_what_stands_before_and_runs_and_proposals() -> None:
    assert tuning_calls(Share(before=2, own=3), Bill(runs=10, proposals=4), examples=7) == 7 * 2 + 10 * 3 + 4


@settings(deadline=None, max_examples=50)
@given(limit=st.integers(1, 3000), runs=st.integers(1, 400), each=st.integers(1, 12), proof=st.integers(0, 500))
def test_a_limit_takes_runs_away(limit: int, runs: int, each: int, proof: int) -> None:
    def cost(number: int) -> Mapping[str, int]:
        return {"tuning": number * each, "proof": proof}

    assert runs_within(None, runs, cost) == runs
    least = min(runs, FEWEST_RUNS) * each + proof
    if limit < least:
        with pytest.raises(UserError, match=rf"the least is {least} calls, {proof} of them for the proof"):
            runs_within(limit, runs, cost)
        return
    found = runs_within(limit, runs, cost)
    assert found * each + proof <= limit
    assert min(runs, FEWEST_RUNS) <= found <= runs
    if runs * each + proof <= limit:
        assert found == runs
