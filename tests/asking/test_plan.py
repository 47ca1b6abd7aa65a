"""Invariants of `programs.asking.plan`: one plan, driven in two ways.

1. `drive` and `adrive` give the same result and ask the same asks for the same answers, however plans are nested.
2. Results come back in the order in which things were yielded, whatever finishes first.
3. What is yielded together runs together in `adrive`, one after another in `drive`.
4. When something fails, what runs beside it is waited for, then the first error (in the yielded order) is raised.
5. Spent adds up like numbers do: it has a zero, order and grouping do not matter, an unknown count stays unknown.
6. Only an unread reply is not settled; a stage that failed is final exactly when its reply is settled.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs.asking.plan import Ask, Plan, Rejected, Reply, Spent, StageFailed, adrive, drive, value_of
from programs.tracer import Wishes
from tests.making import Answers, answered, good_output, passage, sample, tracer, unread

TEMPLATE = tracer().questions.ask(passage(), "closed", 0)

Tree = list[Any]
"""A plan's shape: each round is a list of asks (by name) and plans of their own."""


def ask(name: str) -> Ask:
    return dataclasses.replace(TEMPLATE, key=name)


def plan_of(tree: Tree) -> Plan[list[Any]]:
    """Asks round after round, and returns what came back."""
    heard = []
    for together in tree:
        heard.append((yield [ask(item) if isinstance(item, str) else plan_of(item) for item in together]))
    return heard


def said(asked: Ask) -> Reply:
    return Reply(status="ok", output=asked.key)


NAMES = st.text("abcdef", min_size=1, max_size=3)
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.lists(st.lists(NAMES, max_size=3), max_size=3),
    lambda inner: st.lists(st.lists(NAMES | inner, max_size=3), max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(TREES)
def test_both_drives_give_equal_results(tree: Tree) -> None:
    sync_asked: list[str] = []
    async_asked: list[str] = []

    def answer(asked: Ask) -> Reply:
        sync_asked.append(asked.key)
        return said(asked)

    async def aanswer(asked: Ask) -> Reply:
        async_asked.append(asked.key)
        await asyncio.sleep(0)
        return said(asked)

    assert drive(plan_of(tree), answer) == asyncio.run(adrive(plan_of(tree), aanswer))
    assert sorted(sync_asked) == sorted(async_asked)


async def test_the_whole_program_gives_equal_units_both_ways() -> None:
    one, other = Answers(), Answers()

    async def aanswer(asked: Ask) -> Reply:
        await asyncio.sleep(0)
        return other(asked)

    wishes = Wishes(traces=2, variations=2, grader="any")
    sync = drive(tracer().plan(sample(), wishes), one)
    through = await adrive(tracer().plan(sample(), wishes), aanswer)
    assert [unit.record() for unit in sync.units] == [unit.record() for unit in through.units]
    assert sorted(asked.key for asked in one.asked) == sorted(asked.key for asked in other.asked)


async def test_results_come_in_the_order_yielded_whatever_finishes_first() -> None:
    gates = {name: asyncio.Event() for name in "abc"}

    async def aanswer(asked: Ask) -> Reply:
        await gates[asked.key].wait()
        return said(asked)

    task = asyncio.create_task(adrive(plan_of([["a", [["b"]], "c"]]), aanswer))
    for name in "cba":
        await asyncio.sleep(0)
        gates[name].set()
    ((first, second, third),) = await task
    assert [first.output, second[0][0].output, third.output] == ["a", "b", "c"]


async def test_what_is_yielded_together_runs_together() -> None:
    running: set[str] = set()
    together: list[set[str]] = []

    async def aanswer(asked: Ask) -> Reply:
        running.add(asked.key)
        await asyncio.sleep(0)
        together.append(set(running))
        running.discard(asked.key)
        return said(asked)

    await adrive(plan_of([["a", "b", [["c"]]], ["d"]]), aanswer)
    assert {"a", "b"} <= together[0]
    assert together[-1] == {"d"}


async def test_what_runs_beside_a_failure_is_waited_for() -> None:
    finished: list[str] = []

    async def aanswer(asked: Ask) -> Reply:
        if asked.key.startswith("bad"):
            raise LookupError(asked.key)
        for _ in range(5):
            await asyncio.sleep(0)
        finished.append(asked.key)
        return said(asked)

    with pytest.raises(LookupError, match="bad1"):
        await adrive(plan_of([["a", [["bad1"]], [["b"], ["c"]], "bad2"], ["never"]]), aanswer)
    assert finished == ["a", "b", "c"]


def test_a_sync_drive_raises_the_first_error() -> None:
    def answer(asked: Ask) -> Reply:
        raise LookupError(asked.key)

    with pytest.raises(LookupError, match="a"):
        drive(plan_of([["a", "b"]]), answer)


async def test_a_plans_own_error_is_raised_by_both() -> None:
    def failing() -> Generator[list[Any], list[Any], None]:
        yield [ask("a")]
        raise StageFailed("context", unread())

    async def aanswer(asked: Ask) -> Reply:
        return said(asked)

    with pytest.raises(StageFailed, match="context: the server is gone"):
        drive(failing(), said)
    with pytest.raises(StageFailed, match="context: the server is gone"):
        await adrive(failing(), aanswer)


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


@settings(deadline=None)
@given(SPENT, SPENT)
def test_an_unknown_count_stays_unknown(a: Spent, b: Spent) -> None:
    total = (a + b).prompt_tokens
    assert (total is None) == (a.prompt_tokens is None or b.prompt_tokens is None)


@settings(deadline=None)
@given(SPENT, SPENT)
def test_adding_changes_neither_part(a: Spent, b: Spent) -> None:
    before = a.model_copy(deep=True), b.model_copy(deep=True)
    assert a + b is not a
    assert (a, b) == before


@pytest.mark.parametrize(("status", "settled"), [("ok", True), ("unusable", True), ("unread", False)])
def test_only_an_unread_reply_is_not_settled(status: Any, settled: bool) -> None:
    reply = Reply(status=status)
    assert reply.settled is settled
    assert StageFailed("trace", reply).final is settled


def test_a_value_is_read_from_an_ok_reply_alone() -> None:
    reply = answered(TEMPLATE, good_output(TEMPLATE))
    assert value_of(TEMPLATE, reply).model_dump(mode="json") == reply.output
    with pytest.raises(StageFailed, match="questions: no good"):
        value_of(TEMPLATE, reply.model_copy(update={"status": "unusable", "problems": ["no good"]}))


def test_a_reply_comes_back_from_json_as_it_was() -> None:
    reply = answered(TEMPLATE, good_output(TEMPLATE)).model_copy(
        update={"rejected": [Rejected(output={"a": [1]}, problems=["no"]), Rejected(problems=["cut"])]}
    )
    assert Reply.model_validate_json(reply.model_dump_json()) == reply
