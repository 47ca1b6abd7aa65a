"""Invariants of `programs.progress.estimate` and `programs.progress.course`:

1. After the first tenth of a run, every estimate of its end is within 20% of the whole, whatever the shape of the run.
2. Nothing is estimated before the first answer, nor where nobody knows how much is left; a budget ends a run all the same.
3. Of a resumed run its own pace counts, and what is in the journal is not taken for work.
4. What a text takes is not mistaken for what those take that end first.
5. Estimates do not depend on the unit of time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.progress.course import Course, expected
from programs.progress.estimate import Estimator, Limits, Snapshot, Stage
from tests.schedule import LATENCIES, Shape, played

FLAT = dict.fromkeys(LATENCIES, 1.0)

SHAPES = {
    "constant pace": Shape(latencies=FLAT, spread=0.0),
    "stages that differ": Shape(),
    "wide ramp": Shape(texts=400, places=64),
    "rejected and made again": Shape(rejected=0.3),
    "most rejected": Shape(rejected=0.7),
    "rate limited": Shape(rate=6.0),
    "rate limited and rejected": Shape(rate=6.0, rejected=0.3),
    "refused and tried again": Shape(rate=6.0, refuses=True, texts=300),
    "resumed at half": Shape(texts=100, half_done=32),
    "a quarter without questions": Shape(barren=0.25, texts=400),
    "traces wanted": Shape(texts=10_000, wanted=300, rejected=0.15, attempts=1),
    "traces wanted, input not counted": Shape(texts=10_000, wanted=300, rejected=0.15, attempts=1, told=False),
    "budget of calls": Shape(texts=1000, max_calls=2000),
    "one at a time": Shape(texts=60, places=1, spread=0.2),
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_1_after_the_first_tenth_the_end_is_known_within_a_fifth(shape: Shape, seed: int) -> None:
    found = played(replace(shape, seed=seed))
    assert len(found.seen) > 20
    assert found.worst(0.1) <= 0.2


def test_1_a_run_that_its_budget_ends_is_estimated_to_that_end() -> None:
    found = played(SHAPES["budget of calls"])
    last = [estimate for _, estimate in found.seen if estimate is not None][-1]
    assert last.budget == "calls"
    assert found.calls == 2000


def test_1_the_traces_to_come_are_foretold() -> None:
    found = played(Shape(texts=300, barren=0.4, seed=3))
    halfway = found.seen[len(found.seen) // 2][1]
    assert halfway is not None
    assert halfway.traces == pytest.approx(found.traces, rel=0.15)


def test_2_nothing_is_estimated_before_the_first_answer() -> None:
    estimator = Estimator(8, 1, Limits(calls=100))
    assert estimator.estimate() is None
    estimator.feed(Snapshot(at=3.0, busy=12.0, in_flight=4, capacity=4, open=4, to_begin=10.0))
    assert estimator.estimate() is None


def test_2_an_input_that_nobody_counted_has_no_end_in_sight_but_a_budget_has() -> None:
    assert all(found is None for _, found in played(Shape(texts=40, told=False)).seen)
    seen = played(Shape(texts=400, told=False, max_calls=900)).seen
    assert {found.budget for _, found in seen if found is not None} == {"calls"}


def test_2_tokens_and_cost_end_a_run_as_fast_as_they_are_spent() -> None:
    stages = {"questions": Stage(10, 10.0, 0)}
    now = Snapshot(at=10.0, busy=10.0, capacity=1, stages=stages, tokens=500, cost=None, calls=10)
    for limits, seconds in [(Limits(tokens=2000), 30.0), (Limits(tokens=100), 0.0)]:
        estimator = Estimator(8, 1, limits)
        estimator.feed(now)
        found = estimator.estimate()
        assert found is not None
        assert found.seconds == pytest.approx(seconds)
        assert found.budget == "tokens"
    priced = Estimator(8, 1, Limits(cost=3.0))
    priced.feed(now)
    assert priced.estimate() is None, "nobody knows what was spent"
    priced.feed(replace(now, at=20.0, cost=1.0))
    found = priced.estimate()
    assert found is not None
    assert found.budget == "cost"


def test_3_what_the_journal_holds_is_no_work() -> None:
    """Every text was begun before, and has half of its asks: the run takes half of what it would take."""
    whole, half = played(Shape(texts=80)), played(Shape(texts=80, half_done=80))
    assert half.took < 0.7 * whole.took
    assert half.worst(0.2) <= 0.2


def test_4_texts_that_end_first_are_not_the_rule() -> None:
    # Ten of twenty texts end after one ask. So far they are all that is done: the others are under way.
    course = Course([{"questions": 20}, {"context": 10}, {"trace": 9}], {1: 10}, {1: 0})
    found = expected(course, 3, 1.0)
    assert sum(found.asks.values()) == pytest.approx(1 + 2 * 12 / 22, abs=0.15)
    assert found.traces == pytest.approx(0.5, abs=0.1)


def test_4_before_anything_is_known_all_goes_as_planned() -> None:
    found = expected(Course(), 8, 2.0)
    assert (sum(found.asks.values()), found.unseen, found.traces) == (0, 8, 2.0)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), min_size=1, max_size=60), st.integers(1, 12))
def test_4_of_texts_that_are_all_done_the_mean_is_expected(texts: list[tuple[int, int]], planned: int) -> None:
    asked = [{"stage": sum(asks > place for asks, _ in texts)} for place in range(max(asks for asks, _ in texts))]
    ended = {place: sum(asks == place for asks, _ in texts) for place in {asks for asks, _ in texts}}
    gave = {place: sum(traces for asks, traces in texts if asks == place) for place in ended}
    found = expected(Course(asked, ended, gave), planned, 1.0)
    both = [*texts, (planned, 1), (planned, 1)]
    assert sum(found.asks.values()) + found.unseen == pytest.approx(sum(asks for asks, _ in both) / len(both))
    assert found.traces == pytest.approx(sum(traces for _, traces in both) / len(both))


@given(st.floats(1e-3, 1e3), st.integers(0, 5))
def test_5_another_unit_of_time_gives_the_same_estimate_in_it(factor: float, seed: int) -> None:
    def estimate(unit: float) -> float:
        stages = {"questions": Stage(20, 30.0 * unit, 0), "context": Stage(12 + seed, 9.0 * unit, 1)}
        course = Course([{"questions": 20}, {"context": 12 + seed}], {}, {})
        estimator = Estimator(8, 1)
        more = {"asks_open": {"questions": 20, "context": 12 + seed}, "open": 20, "to_begin": 80.0, "in_flight": 4}
        estimator.feed(Snapshot(at=12 * unit, busy=47 * unit, capacity=4, stages=stages, course=course, **more))  # type: ignore[arg-type]
        found = estimator.estimate()
        assert found is not None
        return found.seconds

    assert estimate(factor) == pytest.approx(factor * estimate(1.0))
