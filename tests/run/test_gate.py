"""Invariants of `programs.run.gate`.

1. At most `capacity` callers hold a permit, and no permit is free while a caller waits.
2. The deepest waiting caller goes first; ties are first come, first served.
3. `close` raises RunStopped in all waiting and later callers; those that hold a permit keep it.
4. Cancelling a waiting caller, even just as it gets a permit, loses no permit.
5. Once no text is left to start, the shallowest caller goes first, also among those already waiting.
6. A released permit goes to the next caller before the one that released it continues. Callers with a reply continue one at
   a time, and keep their permit until then.
"""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import RunStopped
from programs.run.gate import Gate


async def turns(count: int = 3) -> None:
    """Lets other tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=25),
)
def test_at_most_capacity_permits_and_none_is_lost(capacity: int, plan: list[tuple[int, int, int, bool]]) -> None:
    async def schedule() -> None:
        gate, holding = Gate(capacity), 0

        async def call(depth: int, wait: int, hold: int) -> None:
            nonlocal holding
            await turns(wait)
            async with gate.permit(depth):
                holding += 1
                assert holding <= capacity
                try:
                    await turns(hold)
                finally:
                    holding -= 1
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
async def test_the_deepest_goes_first_but_the_shallowest_once_no_text_is_left_to_start(ending: bool) -> None:
    gate, log, leave = Gate(1), list[float](), asyncio.Event()

    async def call(depth: float) -> None:
        # The tenths distinguish callers of the same depth.
        async with gate.permit(int(depth)):
            log.append(depth)
            await leave.wait()

    async def start_calls(*depths: float) -> list[asyncio.Task[None]]:
        started = [asyncio.create_task(call(depth)) for depth in depths]
        await turns()
        return started

    tasks = [*await start_calls(9), *await start_calls(2, 5.1, 1, 5.2)]
    gate.ending = ending
    tasks += await start_calls(4, 0)
    leave.set()
    await asyncio.gather(*tasks)
    assert log == [9, *([0, 1, 2, 4, 5.1, 5.2] if ending else [5.1, 5.2, 4, 2, 1, 0])]


async def test_closing_stops_waiting_and_later_callers_but_not_permit_holders() -> None:
    gate, leave = Gate(2), asyncio.Event()

    async def call() -> None:
        async with gate.permit(0):
            await leave.wait()

    calls = [asyncio.create_task(call()) for _ in range(6)]
    await turns()
    gate.close()
    await turns()
    assert [task.done() for task in calls] == [False] * 2 + [True] * 4
    leave.set()
    results = await asyncio.gather(*calls, call(), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 2 + [RunStopped] * 5
    assert gate.in_flight == 0


@pytest.mark.parametrize("capacity", [1, 6, 32])
async def test_one_caller_continues_per_turn_and_keeps_its_permit_until_then(capacity: int) -> None:
    gate, started, continued = Gate(capacity), list[int](), list[int]()
    replies = [asyncio.Event(), asyncio.Event()]

    async def call(number: int) -> None:
        async with gate.permit(0):
            started.append(number)
            await replies[number // capacity].wait()
        continued.append(number)

    tasks = [asyncio.create_task(call(number)) for number in range(2 * capacity)]
    await turns()
    replies[0].set()
    max_holding, before = 0, 0
    while len(continued) < capacity:
        await turns(1)
        assert len(continued) - before <= 1
        before = len(continued)
        max_holding = max(max_holding, len(started) - before)
    assert max_holding == capacity
    replies[1].set()
    await asyncio.gather(*tasks)
    assert continued[:capacity] == list(range(capacity))
    assert sorted(continued) == list(range(2 * capacity))
    assert gate.in_flight == 0
