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

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import RunStopped
from programs.run.gate import Gate


async def turns(count: int = 3) -> None:
    """Lets the others run."""
    for _ in range(count):
        await asyncio.sleep(0)


class Caller:
    """One caller at the gate, as a task that stays inside until it is told to leave."""

    def __init__(self, gate: Gate, depth: int, log: list[int]) -> None:
        self.depth = depth
        self.leave = asyncio.Event()
        self.inside = False
        self.task = asyncio.create_task(self._call(gate, log))

    async def _call(self, gate: Gate, log: list[int]) -> None:
        async with gate.place(self.depth):
            log.append(self.depth)
            self.inside = True
            try:
                await self.leave.wait()
            finally:
                self.inside = False


async def ended(callers: list[Caller]) -> list[BaseException | None]:
    for caller in callers:
        caller.leave.set()
    return await asyncio.gather(*(caller.task for caller in callers), return_exceptions=True)


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=25),
)
def test_never_more_than_capacity_and_no_place_is_lost(capacity: int, plan: list[tuple[int, int, int, bool]]) -> None:
    async def schedule() -> None:
        gate, inside, peak = Gate(capacity), 0, 0

        async def call(depth: int, wait: int, hold: int) -> None:
            nonlocal inside, peak
            await turns(wait)
            async with gate.place(depth):
                inside += 1
                peak = max(peak, inside)
                assert inside <= capacity
                try:
                    await turns(hold)
                finally:
                    inside -= 1

        tasks = [asyncio.create_task(call(depth, wait, hold)) for depth, wait, hold, _ in plan]
        for task, (_, wait, _, cancelled) in zip(tasks, plan, strict=True):
            if cancelled:
                await turns(wait)
                task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
        assert gate.in_flight == 0
        callers = [Caller(gate, 0, []) for _ in range(capacity)]
        await turns()
        assert all(caller.inside for caller in callers)
        await ended(callers)

    asyncio.run(schedule())


async def test_the_deepest_goes_first_and_at_equal_depth_the_first() -> None:
    gate, log = Gate(1), list[int]()
    holder = Caller(gate, 9, log)
    await turns()
    depths = [1, 4, 2, 4, 0, 6]
    callers = [Caller(gate, depth, log) for depth in depths]
    await turns()
    await ended([holder, *callers])
    assert log == [9, *sorted(depths, reverse=True)]


async def test_closing_wakes_those_who_wait_and_leaves_those_inside() -> None:
    gate, log = Gate(2), list[int]()
    inside = [Caller(gate, 5, log) for _ in range(2)]
    await turns()
    waiting = [Caller(gate, depth, log) for depth in range(4)]
    await turns()
    gate.close()
    await turns()
    assert all(isinstance(caller.task.exception(), RunStopped) for caller in waiting)
    assert all(caller.inside for caller in inside)
    assert await ended(inside) == [None, None]
    assert gate.in_flight == 0
    assert log == [5, 5]
    with pytest.raises(RunStopped):
        async with gate.place(0):
            raise AssertionError("let through")


async def test_an_error_inside_gives_the_place_back() -> None:
    gate = Gate(1)
    for _ in range(3):
        with pytest.raises(LookupError):
            async with gate.place(0):
                raise LookupError
    assert gate.in_flight == 0


async def test_the_shallowest_goes_first_when_no_text_is_left_to_begin() -> None:
    gate, log = Gate(1), list[int]()
    holder = Caller(gate, 9, log)
    await turns()
    early = [Caller(gate, depth, log) for depth in (2, 5, 1)]
    await turns()
    gate.ending = True
    late = [Caller(gate, depth, log) for depth in (4, 0)]
    await turns()
    await ended([holder, *early, *late])
    assert log == [9, 0, 1, 2, 4, 5]


@pytest.mark.parametrize("capacity", [1, 6, 32])
async def test_one_goes_on_a_turn_and_keeps_its_place_until_then(capacity: int) -> None:
    gate, begun, gone_on = Gate(capacity), list[int](), list[int]()
    replies = [asyncio.Event(), asyncio.Event()]

    async def call(number: int) -> None:
        async with gate.place(0):
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
