"""Invariants of `optimize.proof`.

1. The means are over the examples that have a score on both sides; a missing score is left out, never 0. A composite is of
   the metrics that both sides of an example have.
2. `improved` only where the interval of the composite lies above 0, over twenty sources or more: not for few pairs, not
   for a loss, not for no change.
3. First tries that failed are counted for each stage, of those that were asked.
4. `in_threads` keeps the order and the caller's context, runs no more than so many at once, and that many if it can.
5. It raises the first error, and begins nothing new after it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import dspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimize.compilation import in_threads
from optimize.measure import Measured
from optimize.metrics import Score, combined
from optimize.proof import Proof, prove
from programs.interval import paired_interval
from tests.optimize.test_metrics import record

VALUES = st.none() | st.floats(0, 1)


@pytest.fixture(scope="module", autouse=True)
def _few_resamples() -> Iterator[None]:
    """The intervals have tests of their own (tests/test_interval.py)."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("optimize.proof.paired_interval", partial(paired_interval, resamples=200))
        yield


def measured(value: float | None, stages: dict[str, str | None] | None = None, **metrics: float | None) -> Measured:
    return Measured(Score(value, ""), {name: Score(one, "") for name, one in metrics.items()}, stages or {})


def proved(before: list[Measured], after: list[Measured], **weights: float) -> Proof:
    return prove(before, after, seed=0, weights=weights)


def traced(judge: float | None, form: float | None = 0.9) -> Measured:
    """A trace that a judge and a rule have scored alike in weight."""
    metrics = {"judge": Score(judge, ""), "form": Score(form, "")}
    return Measured(combined(metrics, {"judge": 1, "form": 1}), metrics, {}, record())


def test_1_a_judge_who_fails_on_one_side_is_no_change() -> None:
    low, silent, failed = traced(0.1), traced(None), measured(0.0)
    assert (silent.score.value or 0) > (low.score.value or 0)
    found = proved([low, low, low], [silent, silent, silent], judge=1, form=1)
    assert (found.composite.before, found.composite.after) == (0.9, 0.9)
    assert not found.improved
    assert proved([low, low], [traced(0.5), silent], judge=1, form=1).composite.before == pytest.approx((0.5 + 0.9) / 2)
    assert proved([failed], [low], judge=1, form=1).composite.after == 0.5
    assert proved([traced(0.2, None)], [silent], judge=1, form=1).composite.pairs == 0


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=12))
def test_1_means_are_over_pairs(pairs: list[tuple[float | None, float | None]]) -> None:
    found = proved([measured(a, m=a) for a, _ in pairs], [measured(b, m=b) for _, b in pairs])
    whole = [(a, b) for a, b in pairs if a is not None and b is not None]
    for compared in (found.composite, *([found.metrics["m"]] if pairs else [])):
        assert compared.pairs == len(whole)
        assert compared.before == (pytest.approx(sum(a for a, _ in whole) / len(whole)) if whole else None)
        assert compared.after == (pytest.approx(sum(b for _, b in whole) / len(whole)) if whole else None)
        assert (compared.interval is None) == (len(whole) < 2)
        if compared.interval is not None:
            assert compared.interval.low - 1e-9 <= compared.interval.difference <= compared.interval.high + 1e-9
    assert (found.unscored_before, found.unscored_after) == tuple(
        sum(value is None for value in side) for side in ([a for a, _ in pairs], [b for _, b in pairs])
    )
    if found.improved:
        assert sum(b - a for a, b in whole) > 0


@pytest.mark.parametrize(
    ("before", "after", "improved"),
    [
        ([0.2, 0.3, 0.2, 0.1] * 5, [0.8, 0.9, 0.7, 0.8] * 5, True),
        ([0.2, 0.3, 0.2, 0.1] * 4, [0.8, 0.9, 0.7, 0.8] * 4, False),
        ([0.2, None, *[0.3, 0.2, 0.1, 0.4] * 5], [0.8, 0.0, *[0.9, 0.7, 0.8, 0.9] * 5], True),
        ([0.2, 0.3, 0.2], [0.8, 0.9, 0.7], False),
        ([0.2, None] * 10, [0.8, None] * 10, False),
        ([0.2], [0.9], False),
        ([0.2, None], [0.9, 0.9], False),
        ([0.8, 0.9, 0.7], [0.2, 0.3, 0.2], False),
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], False),
        ([0.1, 0.9, 0.1, 0.9], [0.9, 0.1, 0.9, 0.2], False),
        ([], [], False),
    ],
)
def test_2_better_is_what_lies_above_0(before: list[float | None], after: list[float | None], improved: bool) -> None:
    found = proved(list(map(measured, before)), list(map(measured, after)))
    assert found.improved is improved
    assert found == proved(list(map(measured, before)), list(map(measured, after)))


def test_3_first_tries_that_failed_are_counted() -> None:
    before = [measured(0.1, {"trace": "no JSON", "answer": None}), measured(0.0, {"trace": "no JSON"})]
    after = [measured(0.9, {"trace": None, "answer": None}), measured(0.8, {"trace": None, "answer": "cut off"})]
    stages = proved(before, after).stages
    assert stages["trace"].model_dump() == {
        "failed_before": 2,
        "asked_before": 2,
        "failed_after": 0,
        "asked_after": 2,
    }
    assert (stages["answer"].failed_before, stages["answer"].asked_before) == (0, 1)
    assert (stages["answer"].failed_after, stages["answer"].asked_after) == (1, 2)


def test_4_order_and_context_are_kept() -> None:
    lm: Any = object()

    def seen(number: int) -> tuple[int, bool, bool]:
        return number, dspy.settings.lm is lm, threading.current_thread() is not threading.main_thread()

    with dspy.context(lm=lm):
        assert in_threads(seen, range(20), 3) == [(number, True, True) for number in range(20)]
    assert in_threads(seen, [], 3) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_4_so_many_run_at_once_and_no_more(threads: int) -> None:
    lock, running, peak = threading.Lock(), 0, 0
    together = threading.Barrier(threads, timeout=30)

    def work(_number: int) -> None:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        # Passes only when that many are here.
        together.wait()
        with lock:
            running -= 1

    in_threads(work, range(threads * 4), threads)
    assert peak == threads


def test_5_the_first_error_is_raised_and_the_rest_left() -> None:
    begun: list[int] = []
    over = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number == 1:
            raise ZeroDivisionError("number 1")
        if number > 1:
            over.wait(30)
        return number

    with pytest.raises(ZeroDivisionError, match="number 1"):
        in_threads(work, range(50), 1)
    over.set()
    assert begun in ([0, 1], [0, 1, 2])
