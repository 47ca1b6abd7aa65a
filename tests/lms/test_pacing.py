"""The pace settles at what a server allows.

1. without a refusal nothing waits
2. against a server that takes R calls a second, the rate of answers comes within 10% of R, and few calls are refused
3. refusals that come whatever the pace do not slow the run
"""

import asyncio
import heapq
import random
from collections.abc import Callable
from typing import NamedTuple

import pytest

from programs.lms.pacing import Pacer


class Outcome(NamedTuple):
    """When calls were answered and when they were refused."""

    answers: list[float]
    refusals: list[float]


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_without_a_refusal_nothing_waits() -> None:
    clock = Clock()
    pacer = Pacer(clock)
    for _ in range(1000):
        await pacer.turn()
        pacer.answered()
    assert pacer.rate is None


Refuses = Callable[[float], bool]


async def simulate(refuses: Refuses, in_flight: int, until: float, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Callers that call again and again: an answer takes a second, a refusal asks for a second's pause."""
    clock = Clock()
    pacer = Pacer(clock)
    waiting: list[tuple[float, int, asyncio.Future[None]]] = []
    outcome = Outcome([], [])

    async def sleep(seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(waiting, (clock.now + seconds, id(future), future))
        await future

    real_sleep = asyncio.sleep
    monkeypatch.setattr("programs.lms.pacing.asyncio.sleep", sleep)

    async def caller() -> None:
        while True:
            await pacer.turn()
            if refuses(clock.now):
                pacer.refused()
                outcome.refusals.append(clock.now)
                await sleep(1.0)
            else:
                await sleep(1.0)
                pacer.answered()
                outcome.answers.append(clock.now)

    tasks = [asyncio.create_task(caller()) for _ in range(in_flight)]
    while clock.now < until:
        for _ in range(3):
            await real_sleep(0)
        if waiting:
            clock.now, _, future = heapq.heappop(waiting)
            future.set_result(None)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return outcome


def bucket(limit: float) -> Refuses:
    """A server that lets `limit` calls a second through, and a second's worth at once."""
    left, filled = limit, 0.0

    def refuses(now: float) -> bool:
        nonlocal left, filled
        left, filled = min(limit, left + (now - filled) * limit), now
        if left < 1:
            return True
        left -= 1
        return False

    return refuses


@pytest.mark.parametrize("limit", [3.0, 8.0, 50.0])
@pytest.mark.parametrize("in_flight", [16, 256])
async def test_the_pace_settles_at_the_limit(limit: float, in_flight: int, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await simulate(bucket(limit), in_flight, 600, monkeypatch)
    allowed = min(limit, float(in_flight))
    late = [at for at in outcome.answers if at >= 300]
    assert 0.9 * allowed <= len(late) / 300 <= 1.01 * allowed
    refused_late = [at for at in outcome.refusals if at >= 300]
    assert len(refused_late) <= 0.05 * (len(late) + len(refused_late))
    assert len(outcome.refusals) <= 0.05 * (len(outcome.answers) + len(outcome.refusals)) + 3 * in_flight


@pytest.mark.parametrize("share", [0.05, 0.3])
async def test_refusals_whatever_the_pace_do_not_slow_the_run(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(1)
    outcome = await simulate(lambda _: dice.random() < share, 32, 600, monkeypatch)
    unpaced = 32 * (1 - share)
    assert len(outcome.answers) / 600 >= 0.8 * unpaced
