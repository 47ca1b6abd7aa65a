"""When failed calls are retried, and how fast calls are sent to a server that refuses some of them.

1. Waits double up to a bound, and are never shorter than Retry-After. No wait starts that would exceed patience.
2. Without refusals, no call waits.
3. If a server accepts R calls per second, the rate of answers comes within 10% of R, and few calls are refused.
4. Refusals that do not depend on the rate slow a run by at most a quarter, even if many calls fail or take long.
5. After a time in which a server refused everything, the rate soon recovers.
6. A call that waits for the pacer or for a retry releases its permit.
"""

import asyncio
import heapq
import random
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.errors import RunStopped, TransientError
from programs.lms import retry, server
from programs.lms.failures import CallTimeout, EmptyAnswer
from programs.lms.resolve import resolve
from programs.lms.retry import Pacer, RetryPolicy
from programs.run.gate import Gate
from tests.lms.asking import ManualClock, request


@given(st.integers(1, 5000), st.none() | st.floats(0, 300))
def test_1_waits_are_bounded_and_never_shorter_than_retry_after(failures: int, retry_after: float | None) -> None:
    wait = RetryPolicy().delay_after(failures, retry_after)
    assert max(0.5, retry_after or 0) <= wait <= max(60.0, 1.1 * (retry_after or 0))
    assert (
        min(8, 2 ** (failures - 1)) / 2 <= RetryPolicy(max_wait=8).delay_after(failures) <= min(8, 2 ** (failures - 1))
    )


@pytest.mark.parametrize(("failures", "tries"), [([EmptyAnswer] * 9, 3), ([CallTimeout, EmptyAnswer] * 9, 6)])
async def test_1_a_call_gives_up_at_the_third_empty_answer(failures: list[type[TransientError]], tries: int) -> None:
    """Other failures in between do not count as empty answers."""
    policy = RetryPolicy(first_wait=0, patience=60)
    raised: list[type[TransientError]] = []

    async def fail() -> str:
        raised.append(failures[len(raised)])
        raise raised[-1]("no")

    with pytest.raises(EmptyAnswer):
        await policy.call(fail)
    assert len(raised) == tries


async def test_1_without_a_listener_a_call_logs_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """With a listener it logs none: tests/cli/test_logs.py."""
    errors = [CallTimeout("no server")] * 6

    async def send() -> str:
        if errors:
            raise errors.pop()
        return "well"

    assert await RetryPolicy(first_wait=0, patience=60).call(send) == "well"
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


@pytest.mark.parametrize(("retry_after", "tries"), [(86_400.0, 1), (20.0, 2), (11.0, 3), (None, 10)])
async def test_1_waits_respect_patience(retry_after: float | None, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 30 seconds count from the first failure. A wait that would exceed them does not start."""
    clock, tries_at = ManualClock(), list[float]()
    monkeypatch.setattr(retry, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(retry, "random", SimpleNamespace(uniform=lambda least, _most: least))
    monkeypatch.setattr(retry, "asyncio", SimpleNamespace(sleep=lambda wait: wait))

    async def fail() -> str:
        tries_at.append(clock.now)
        clock.now += 100 if len(tries_at) == 1 else 0
        raise TransientError("busy", retry_after=retry_after)

    async def aside(wait: Any) -> None:
        clock.now += wait

    with pytest.raises(TransientError, match="busy"):
        await RetryPolicy(first_wait=1, max_wait=8, patience=30).call(fail, aside)
    assert len(tries_at) == tries
    assert clock.now <= 130


async def test_2_without_refusals_no_call_waits() -> None:
    pacer = Pacer(ManualClock())
    for _ in range(1000):
        await pacer.wait_to_send()
        pacer.record_end(refused=False)
    assert pacer.rate is None


Outcome = Callable[[float], str]
"""Gives the outcome of a call that is sent at a time: "answered", "refused" or "failed"."""


async def simulate(
    outcome: Outcome, in_flight: int, until: float, monkeypatch: pytest.MonkeyPatch, seconds: float = 1.0
) -> tuple[list[float], list[float]]:
    """Simulates callers that make one call after another. Returns the times of the answers and of the refusals. A refusal
    takes no time, anything else `seconds`; a failure or refusal is followed by a growing wait."""
    clock, rng, answers, refusals, numbers = ManualClock(), random.Random(7), list[float](), list[float](), count()
    pacer = Pacer(clock)
    waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    async def sleep(seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(waiting, (clock.now + seconds, next(numbers), future))
        await future

    real_sleep = asyncio.sleep
    monkeypatch.setattr(retry, "asyncio", SimpleNamespace(Lock=asyncio.Lock, sleep=sleep))

    async def caller() -> None:
        failures = 0
        while True:
            await pacer.wait_to_send()
            result = outcome(clock.now)
            await sleep(0.0 if result == "refused" else seconds)
            pacer.record_end(refused=result == "refused")
            if result == "answered":
                failures = 0
                answers.append(clock.now)
                continue
            if result == "refused":
                refusals.append(clock.now)
            failures += 1
            await sleep(min(60, 2 ** (failures - 1)) * rng.uniform(0.5, 1))

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
    return answers, refusals


def bucket(limit: float, outage: float = 0.0) -> Outcome:
    """A server with a token bucket: it accepts `limit` calls per second, and that many at once. From second 100 on, it
    refuses all calls for `outage` seconds."""
    tokens, filled_at = limit, 0.0

    def outcome(now: float) -> str:
        nonlocal tokens, filled_at
        tokens, filled_at = min(limit, tokens + (now - filled_at) * limit), now
        if tokens < 1 or 100 <= now < 100 + outage:
            return "refused"
        tokens -= 1
        return "answered"

    return outcome


@pytest.mark.parametrize(("limit", "in_flight"), [(3.0, 16), (8.0, 256), (50.0, 64)])
async def test_3_the_rate_settles_at_the_limit(limit: float, in_flight: int, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, refusals = await simulate(bucket(limit), in_flight, 400, monkeypatch)
    allowed = min(limit, float(in_flight))
    late, refused_late = (sum(at >= 200 for at in times) for times in (answers, refusals))
    assert 0.9 * allowed <= late / 200 <= 1.01 * allowed
    assert refused_late <= 0.05 * (late + refused_late)
    assert len(refusals) <= 0.05 * (len(answers) + len(refusals)) + 4 * in_flight


@pytest.mark.parametrize(("refused", "failed", "seconds"), [(0.05, 0.0, 1.0), (0.1, 0.5, 1.0), (0.3, 0.3, 8.0)])
async def test_4_random_refusals_hardly_slow_a_run(
    refused: float, failed: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count_answers() -> int:
        rng = random.Random(1)

        def outcome(_now: float) -> str:
            value = rng.random()
            return "refused" if value < refused else "failed" if value < refused + failed else "answered"

        return len((await simulate(outcome, 32, 60 * max(seconds, 4), monkeypatch, seconds))[0])

    paced = await count_answers()
    monkeypatch.setattr(Pacer, "record_end", lambda _self, refused: None)  # noqa: ARG005
    assert paced >= 0.75 * await count_answers()


@pytest.mark.parametrize("outage", [5.0, 200.0])
async def test_5_the_rate_recovers_after_an_outage(outage: float, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, _ = await simulate(bucket(8.0, outage), 32, 100 + outage + 140, monkeypatch)
    assert sum(at >= 100 + outage + 100 for at in answers) >= 0.8 * 8 * 40


async def test_6_a_waiting_call_releases_its_permit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge's slow server does not delay the writer's calls, and closing the gate ends the wait."""
    gate, slow_pacer, written = Gate(2), Pacer(), list[int]()
    slow_pacer.rate = 0.001
    await slow_pacer.wait_to_send()
    monkeypatch.setattr(server, "Pacer", lambda: slow_pacer)
    model = resolve("openai/any", api_base="http://localhost:1/v1", env={})

    async def judge() -> None:
        async with gate.permit(depth=9) as aside:
            await model.engine.servers[0].ask(request(), aside)

    async def write(number: int) -> None:
        async with gate.permit(depth=0):
            await asyncio.sleep(0)
            written.append(number)

    judges = [asyncio.create_task(judge()) for _ in range(8)]
    await asyncio.wait_for(asyncio.gather(*map(write, range(20))), 5)
    assert sorted(written) == list(range(20))
    gate.close()
    assert [type(error) for error in await asyncio.gather(*judges, return_exceptions=True)] == [RunStopped] * 8
    assert gate.in_flight == 0
