"""Invariants of `programs.run.gate`.

1. Never more than `capacity` are inside, and no place stays empty while somebody waits.
2. Of those who wait the deepest goes first; at equal depth the one that came first.
3. `close` wakes everyone who waits, and turns away everyone who comes, with RunStopped; those inside stay.
4. A waiter that is cancelled, before or just as it is let through, loses no place.
5. Once no text is left to begin the shallowest goes first, those who came before included.
6. A place that is left has its next caller before whoever left goes on; of those with a reply one goes on at a time, and
   keeps its place until then.
"""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import RunStopped
from programs.run.gate import Gate


async def turns(count: int = 3) -> None:
    """Lets the others run."""
    for _ in range(count):
        await asyncio.sleep(0)


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=25),
)
def test_never_more_than_capacity_and_no_place_is_lost(capacity: int, plan: list[tuple[int, int, int, bool]]) -> None:
    async def schedule() -> None:
        gate, inside = Gate(capacity), 0

        async def call(depth: int, wait: int, hold: int) -> None:
            nonlocal inside
            await turns(wait)
            async with gate.permit(depth):
                inside += 1
                assert inside <= capacity
                try:
                    await turns(hold)
                finally:
                    inside -= 1
                if hold == 4:
                    raise LookupError

        tasks = [asyncio.create_task(call(depth, wait, hold)) for depth, wait, hold, _ in plan]
        for task, (_, wait, _, cancelled) in zip(tasks, plan, strict=True):
            if cancelled:
                await turns(wait)
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError | LookupError | None) for result in results)
        assert gate.in_flight == 0
        async with AsyncExitStack() as held:
            for _ in range(capacity):
                await asyncio.wait_for(held.enter_async_context(gate.permit(0)), 5)

    asyncio.run(schedule())


@pytest.mark.parametrize("ending", [False, True])
async def test_the_deepest_goes_first_and_when_no_text_is_left_to_begin_the_shallowest(ending: bool) -> None:
    gate, log, leave = Gate(1), list[float](), asyncio.Event()

    async def call(depth: float) -> None:
        # Those of one depth are told apart by the tenths.
        async with gate.permit(int(depth)):
            log.append(depth)
            await leave.wait()

    async def calls(*depths: float) -> list[asyncio.Task[None]]:
        begun = [asyncio.create_task(call(depth)) for depth in depths]
        await turns()
        return begun

    tasks = [*await calls(9), *await calls(2, 5.1, 1, 5.2)]
    gate.ending = ending
    tasks += await calls(4, 0)
    leave.set()
    await asyncio.gather(*tasks)
    assert log == [9, *([0, 1, 2, 4, 5.1, 5.2] if ending else [5.1, 5.2, 4, 2, 1, 0])]


async def test_closing_wakes_those_who_wait_turns_away_who_comes_and_leaves_those_inside() -> None:
    gate, leave = Gate(2), asyncio.Event()

    async def call() -> None:
        async with gate.permit(0):
            await leave.wait()

    calls = [asyncio.create_task(call()) for _ in range(6)]
    await turns()
    gate.close()
    await turns()
    assert [one.done() for one in calls] == [False] * 2 + [True] * 4
    leave.set()
    ends = await asyncio.gather(*calls, call(), return_exceptions=True)
    assert [type(end) for end in ends] == [type(None)] * 2 + [RunStopped] * 5
    assert gate.in_flight == 0


@pytest.mark.parametrize("capacity", [1, 6, 32])
async def test_one_goes_on_a_turn_and_keeps_its_place_until_then(capacity: int) -> None:
    gate, begun, gone_on = Gate(capacity), list[int](), list[int]()
    replies = [asyncio.Event(), asyncio.Event()]

    async def call(number: int) -> None:
        async with gate.permit(0):
            begun.append(number)
            await replies[number // capacity].wait()
        gone_on.append(number)

    tasks = [asyncio.create_task(call(number)) for number in range(2 * capacity)]
    await turns()
    replies[0].set()
    most, before = 0, 0
    while len(gone_on) < capacity:
        await turns(1)
        assert len(gone_on) - before <= 1
        before = len(gone_on)
        most = max(most, len(begun) - before)
    assert most == capacity
    replies[1].set()
    await asyncio.gather(*tasks)
    assert gone_on[:capacity] == list(range(capacity))
    assert sorted(gone_on) == list(range(2 * capacity))
    assert gate.in_flight == 0
