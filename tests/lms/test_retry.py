"""When a failed call is tried again, and how fast a server that refuses is sent more.

1. waits double within bounds, and are never shorter than asked; no attempt starts after patience
2. without a refusal nothing waits
3. against a server that takes R calls a second, the rate of answers comes within 10% of R, and few calls are refused
4. refusals that come whatever the pace do not slow the run
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import RateLimited, TransientError
from programs.lms.failures import EmptyAnswer, TimedOut
from programs.lms.retry import Pacer, RetryPolicy


@given(st.integers(1, 5000), st.none() | st.floats(0, 300))
def test_1_waits_are_bounded_and_never_shorter_than_asked(failures: int, asked: float | None) -> None:
    wait = RetryPolicy().wait(failures, asked)
    assert max(0.5, asked or 0) <= wait <= max(60.0, 1.1 * (asked or 0))
    assert min(8, 2 ** (failures - 1)) / 2 <= RetryPolicy(longest_wait=8).wait(failures) <= min(8, 2 ** (failures - 1))


@pytest.mark.parametrize(("failures", "tries"), [([EmptyAnswer] * 9, 3), ([TimedOut, EmptyAnswer] * 9, 6)])
async def test_1_empty_answers_are_paid_for_and_tried_thrice(failures: list[type[TransientError]], tries: int) -> None:
    """Other failures between them count for themselves."""
    policy = RetryPolicy(first_wait=0, patience=60)
    seen: list[type[TransientError]] = []

    async def attempt() -> str:
        seen.append(failures[len(seen)])
        raise seen[-1]("no")

    with pytest.raises(EmptyAnswer):
        await policy.call(attempt)
    assert len(seen) == tries


async def test_1_nothing_is_waited_for_that_patience_does_not_last_for() -> None:
    async def attempt() -> str:
        raise RateLimited("busy", retry_after=86_400)

    with pytest.raises(RateLimited):
        await asyncio.wait_for(RetryPolicy(patience=30).call(attempt), 1)


class Outcome(NamedTuple):
    """When calls were answered and when they were refused."""

    answers: list[float]
    refusals: list[float]


class Clock:
    """Time that passes only when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_2_without_a_refusal_nothing_waits() -> None:
    pacer = Pacer(Clock())
    for _ in range(1000):
        await pacer.turn()
        pacer.heard(refused=False)
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
    monkeypatch.setattr("programs.lms.retry.asyncio.sleep", sleep)

    async def caller() -> None:
        while True:
            await pacer.turn()
            refused = refuses(clock.now)
            if refused:
                pacer.heard(refused=True)
                outcome.refusals.append(clock.now)
            await sleep(1.0)
            if not refused:
                pacer.heard(refused=False)
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
async def test_3_the_pace_settles_at_the_limit(limit: float, in_flight: int, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await simulate(bucket(limit), in_flight, 600, monkeypatch)
    allowed = min(limit, float(in_flight))
    late = [at for at in outcome.answers if at >= 300]
    assert 0.9 * allowed <= len(late) / 300 <= 1.01 * allowed
    refused_late = [at for at in outcome.refusals if at >= 300]
    assert len(refused_late) <= 0.05 * (len(late) + len(refused_late))
    assert len(outcome.refusals) <= 0.05 * (len(outcome.answers) + len(outcome.refusals)) + 3 * in_flight


@pytest.mark.parametrize("share", [0.05, 0.3])
async def test_4_refusals_whatever_the_pace_do_not_slow_the_run(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(1)
    outcome = await simulate(lambda _: dice.random() < share, 32, 600, monkeypatch)
    unpaced = 32 * (1 - share)
    assert len(outcome.answers) / 600 >= 0.8 * unpaced
