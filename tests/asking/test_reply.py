"""Invariants of `programs.asking.plan`.

1. What runs together gives its results in order, whatever finishes first; one thing alone is awaited as it is.
2. When something fails, what runs beside it is waited for, then the first error (in order) is raised.
3. Spent adds up like numbers do: it has a zero, order and grouping do not matter, an unknown count stays unknown.
4. Only an unread reply is not settled; a stage that failed is final exactly when its reply is settled.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.asking.ask import together
from programs.asking.reply import Reply, Spent, StageFailed
from tests.making import answered, good_output, passage, tracer

TEMPLATE = tracer().questions.ask(passage(), "closed", 0)


async def test_results_come_in_order_whatever_finishes_first() -> None:
    gates = {name: asyncio.Event() for name in "abc"}

    async def said(name: str) -> str:
        await gates[name].wait()
        return name

    task = asyncio.create_task(together(map(said, "abc")))
    for name in "cba":
        await asyncio.sleep(0)
        gates[name].set()
    assert await task == ["a", "b", "c"]


async def test_what_runs_beside_a_failure_is_waited_for() -> None:
    finished: list[str] = []

    async def said(name: str) -> str:
        if name.startswith("bad"):
            raise LookupError(name)
        for _ in range(5):
            await asyncio.sleep(0)
        finished.append(name)
        return name

    with pytest.raises(LookupError, match="bad1"):
        await together([said("a"), together([said("bad1"), said("b")]), said("c"), said("bad2")])
    assert finished == ["a", "c", "b"]


async def test_a_cancelled_whole_leaves_nothing_running() -> None:
    ended: list[str] = []

    async def said(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    task = asyncio.create_task(together(map(said, "ab")))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["a", "b"]


COUNTS = st.none() | st.integers(0, 10**9)
SPENT = st.builds(
    Spent,
    calls=st.integers(0, 10**6),
    reasks=st.integers(0, 10**6),
    faults=st.dictionaries(st.sampled_from(["429", "500", "timeout", "empty"]), st.integers(1, 100)),
    prompt_tokens=COUNTS,
    completion_tokens=COUNTS,
    cached_tokens=COUNTS,
    seconds=st.integers(0, 10**6).map(lambda number: number / 1000),
)


def rounded(spent: Spent) -> dict[str, Any]:
    return {**spent.model_dump(), "seconds": pytest.approx(spent.seconds, abs=0.002)}


@settings(deadline=None)
@given(SPENT, SPENT, SPENT)
def test_spent_adds_up_in_any_order_and_grouping(a: Spent, b: Spent, c: Spent) -> None:
    assert (a + b).model_dump() == rounded(b + a)
    assert ((a + b) + c).model_dump() == rounded(a + (b + c))
    assert (a + Spent()).model_dump() == rounded(a)
    assert sum([a, b, c], Spent()).calls == a.calls + b.calls + c.calls


@pytest.mark.parametrize(("status", "settled"), [("ok", True), ("unusable", True), ("unread", False)])
def test_only_an_unread_reply_is_not_settled(status: Any, settled: bool) -> None:
    reply = Reply(status=status)
    assert reply.settled is settled
    assert StageFailed("trace", reply).final is settled


def test_a_value_is_read_from_an_ok_reply_alone() -> None:
    reply = answered(TEMPLATE, good_output(TEMPLATE))
    assert TEMPLATE.value_of(reply).model_dump(mode="json") == reply.output
    with pytest.raises(StageFailed, match="questions: no good"):
        TEMPLATE.value_of(reply.model_copy(update={"status": "unusable", "problems": ["no good"]}))
