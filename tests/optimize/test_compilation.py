"""The bound of calls, told before: a run makes those that it is said to make, a limit of calls takes runs away, and too low
a limit is refused with the least that would do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimize.compilation import FEWEST_RUNS, TRACE_CALLS, run_calls, runs_within
from optimize.stages import STAGES, WRITERS
from programs.errors import UserError
from tests.making import Answers
from tests.optimize.asked import prediction


def test_a_trace_takes_so_many_calls() -> None:
    answers = Answers()
    prediction(answers)
    assert len(answers.asked) == TRACE_CALLS


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_asks_what_stands_before_once_and_its_own_every_time(stage: str) -> None:
    answers = Answers()
    prediction(answers)
    earlier = [ask for ask in answers.asked if STAGES[ask.stage].depth < STAGES[stage].depth]
    before, own = run_calls(stage, judging=2)
    assert before == len(earlier)
    assert own == (TRACE_CALLS - len(earlier) + 2 if stage in WRITERS else 1)
    assert run_calls("all", judging=2) == (0, TRACE_CALLS + 2)


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
