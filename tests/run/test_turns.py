"""Turns.

1. What is decided in turn is decided in the order of the tickets, however late each comes.
2. A ticket that ends undecided stops those behind it, and no other.
3. Who is given up while waiting holds up nobody.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from programs.errors import RunStopped
from programs.run.gate import Turns


@pytest.mark.parametrize("seed", range(5))
async def test_decisions_are_made_in_the_order_of_the_tickets(seed: int) -> None:
    turns, decided, dice = Turns(), list[int](), random.Random(seed)

    async def work(ticket: int) -> None:
        for _ in range(dice.randrange(12)):
            await asyncio.sleep(0)
        if dice.random() < 0.2:
            # Nothing to decide after all.
            turns.over(ticket)
            return
        await turns.come(ticket)
        decided.append(ticket)
        turns.over(ticket)
        turns.over(ticket)

    await asyncio.wait_for(asyncio.gather(*(work(turns.take()) for _ in range(60))), 10)
    assert decided == sorted(decided)
    assert len(decided) > 30


async def test_a_ticket_that_is_given_up_stops_those_behind_it() -> None:
    turns = Turns()
    first, second, third, fourth = (turns.take() for _ in range(4))
    waiting = [asyncio.create_task(turns.come(ticket)) for ticket in (third, fourth)]
    await turns.come(first)
    await asyncio.sleep(0)
    turns.over(second, decided=False)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [RunStopped, RunStopped]
    turns.over(first)
    with pytest.raises(RunStopped):
        await turns.come(turns.take())


async def test_who_is_given_up_while_waiting_holds_up_nobody() -> None:
    turns = Turns()
    first, second, third = (turns.take() for _ in range(3))
    waiting = [asyncio.create_task(turns.come(ticket)) for ticket in (second, third)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    turns.over(second)
    assert not waiting[1].done()
    turns.over(first)
    await asyncio.wait_for(waiting[1], 10)
