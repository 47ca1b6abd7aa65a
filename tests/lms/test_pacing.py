"""The pace settles at what a server allows.

1. without a refusal nothing waits
2. against a server that takes R calls a second, the rate of answers comes within 10% of R, and few calls are refused
3. several refusals at once are one; a pace never stops altogether
"""

import asyncio
import heapq

import pytest

from programs.lms.pacing import LOWEST, Pacer


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


def test_refusals_at_once_count_as_one_and_calls_never_stop() -> None:
    clock = Clock()
    pacer = Pacer(clock)
    pacer.rate = 100.0
    for _ in range(50):
        pacer.refused()
    assert pacer.rate == pytest.approx(50.0)
    for second in range(1000):
        clock.now = 10.0 * (second + 1)
        pacer.refused()
    assert pacer.rate == LOWEST


@pytest.mark.parametrize("limit", [8.0, 50.0])
@pytest.mark.parametrize("in_flight", [16, 256])
async def test_the_pace_settles_at_the_limit(limit: float, in_flight: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated server with a bucket of one second's calls, a second a call, refusals asking for a second's pause."""
    clock = Clock()
    pacer = Pacer(clock)
    waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    async def sleep(seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(waiting, (clock.now + seconds, id(future), future))
        await future

    real_sleep = asyncio.sleep
    monkeypatch.setattr("programs.lms.pacing.asyncio.sleep", sleep)
    bucket, filled = limit, 0.0
    answers: list[float] = []
    refusals: list[float] = []

    async def caller() -> None:
        nonlocal bucket, filled
        while True:
            await pacer.turn()
            bucket, filled = min(limit, bucket + (clock.now - filled) * limit), clock.now
            if bucket >= 1:
                bucket -= 1
                await sleep(1.0)
                pacer.answered()
                answers.append(clock.now)
            else:
                pacer.refused()
                refusals.append(clock.now)
                await sleep(1.0)

    tasks = [asyncio.create_task(caller()) for _ in range(in_flight)]
    while clock.now < 600:
        for _ in range(3):
            await real_sleep(0)
        if waiting:
            clock.now, _, future = heapq.heappop(waiting)
            future.set_result(None)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    allowed = min(limit, float(in_flight))
    late = [at for at in answers if at >= 300]
    assert 0.9 * allowed <= len(late) / 300 <= 1.01 * allowed
    assert len(refusals) <= 0.05 * (len(answers) + len(refusals))
