"""Invariants of `programs.run.estimate`:

1. At a steady pace the estimate is the time that is left: of all texts, or of as many as the wanted traces need.
2. Nothing is estimated before the first answer, nor where nobody knows how much is left; a budget ends a run all the same.
3. The pace is that of the latter half of the run, and what the journal answered is no work.
"""

from __future__ import annotations

import random
from dataclasses import replace

import dspy
import pytest

from programs.asking.ask import Ask
from programs.run.estimate import Estimator, Limits, Snapshot, Work

HALFWAY = Snapshot(
    at=50.0, asks=400, done=50, done_asks=400, traces=50, to_begin=50.0, accepted=50, calls=400, tokens=9
)


def estimator(*snapshots: Snapshot, limits: Limits | None = None) -> Estimator:
    found = Estimator(8, 1, limits)
    for snapshot in snapshots:
        found.feed(snapshot)
    return found


def test_1_the_time_left_is_that_of_the_texts_that_are_left() -> None:
    found = estimator(HALFWAY).estimate()
    assert found is not None
    assert (found.seconds, found.budget, found.traces) == (50.0, None, 100.0)
    wanted = estimator(replace(HALFWAY, wanted=75)).estimate()
    assert wanted is not None
    assert (wanted.seconds, wanted.traces) == (25.0, 75.0)
    under_way = estimator(replace(HALFWAY, to_begin=40.0, open=10, open_asks=40)).estimate()
    assert under_way is not None
    assert under_way.seconds == 45.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("texts", "barren"), [(200, 0.0), (400, 0.25)])
def test_1_a_run_whose_texts_differ_is_known_within_a_quarter_after_its_first_fifth(
    texts: int, barren: float, seed: int
) -> None:
    dice = random.Random(seed)
    asks = [1 if dice.random() < barren else dice.randint(8, 16) for _ in range(texts)]
    total, done, worst = sum(asks), 0, 0.0
    found = Estimator(8, 1)
    for number, count in enumerate(asks, 1):
        done += count
        traces = sum(one > 1 for one in asks[:number])
        found.feed(
            Snapshot(
                at=float(done),
                asks=done,
                done=number,
                done_asks=done,
                traces=traces,
                to_begin=texts - number,
                accepted=traces,
                calls=done,
            )
        )
        estimate = found.estimate()
        if done > total / 5:
            assert estimate is not None
            worst = max(worst, abs(done + estimate.seconds - total) / total)
    assert worst < 0.25


def test_2_nothing_is_known_before_the_first_answer_or_without_an_end() -> None:
    assert Estimator(8, 1, Limits(calls=100)).estimate() is None
    assert estimator(Snapshot(at=3.0, open=4, to_begin=10.0)).estimate() is None
    assert estimator(replace(HALFWAY, to_begin=None)).estimate() is None


@pytest.mark.parametrize(
    ("limits", "seconds"), [(Limits(calls=480), 10.0), (Limits(tokens=18), 50.0), (Limits(cost=1.5), 25.0)]
)
def test_2_the_budget_that_is_spent_first_ends_a_run(limits: Limits, seconds: float) -> None:
    found = estimator(replace(HALFWAY, to_begin=1000.0, cost=1.0), limits=limits).estimate()
    assert found is not None
    assert found.seconds == pytest.approx(seconds)
    assert found.budget is not None
    unknown = estimator(replace(HALFWAY, to_begin=None, cost=None), limits=Limits(cost=1.5)).estimate()
    assert unknown is None, "nobody knows what was spent"


def test_3_the_pace_is_that_of_late() -> None:
    slow = replace(HALFWAY, asks=40, done=5, done_asks=40, traces=5, accepted=5)
    found = estimator(slow, replace(HALFWAY, at=100.0, asks=440, done=55, done_asks=440, to_begin=45.0)).estimate()
    assert found is not None
    assert found.seconds == pytest.approx(45.0, rel=0.05)


def test_3_what_the_journal_answered_is_no_work() -> None:
    now = 0.0
    work = Work(lambda: now)
    work.finishes("replayed", 1)
    ask = Ask(stage="questions", key="stage/a/0", predict=dspy.Predict("a -> b"), inputs={}, depth=0)
    work.begins("a")
    work.enters()
    now = 2.0
    work.leaves()
    work.asked(ask)
    assert work.snapshot() == Snapshot(at=2.0, asks=1, open=1, open_asks=1, done=1, traces=1)
    work.finishes("a", 0)
    assert (work.open, work.snapshot().done_asks) == (0, 1)
