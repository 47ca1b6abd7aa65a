"""When a failed call is tried again, and how fast a server that refuses is sent more.

1. waits double within bounds, and are never shorter than asked; none is begun that would outlast patience
2. without a refusal nothing waits
3. against a server that takes R calls a second, the rate of answers comes within 10% of R, and few calls are refused
4. refusals that come whatever the pace do not slow the run, however many calls fail otherwise and however long they take
5. a server that refused everything for a while has its pace back soon
6. a call that waits, for the pace or to be tried again, lets others have its place
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
from tests.lms.asking import Clock, request


@given(st.integers(1, 5000), st.none() | st.floats(0, 300))
def test_1_waits_are_bounded_and_never_shorter_than_asked(failures: int, asked: float | None) -> None:
    wait = RetryPolicy().delay_after(failures, asked)
    assert max(0.5, asked or 0) <= wait <= max(60.0, 1.1 * (asked or 0))
    assert (
        min(8, 2 ** (failures - 1)) / 2 <= RetryPolicy(max_wait=8).delay_after(failures) <= min(8, 2 ** (failures - 1))
    )


@pytest.mark.parametrize(("failures", "tries"), [([EmptyAnswer] * 9, 3), ([CallTimeout, EmptyAnswer] * 9, 6)])
async def test_1_empty_answers_are_paid_for_and_tried_thrice(failures: list[type[TransientError]], tries: int) -> None:
    """Other failures between them count for themselves."""
    policy = RetryPolicy(first_wait=0, patience=60)
    seen: list[type[TransientError]] = []

    async def once() -> str:
        seen.append(failures[len(seen)])
        raise seen[-1]("no")

    with pytest.raises(EmptyAnswer):
        await policy.call(once)
    assert len(seen) == tries


async def test_1_whoever_has_no_listener_is_warned_once_a_call(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has one is not: tests/cli/test_logs.py."""
    left = [CallTimeout("no server")] * 6

    async def once() -> str:
        if left:
            raise left.pop()
        return "well"

    assert await RetryPolicy(first_wait=0, patience=60).call(once) == "well"
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


@pytest.mark.parametrize(("asked", "tries"), [(86_400.0, 1), (20.0, 2), (11.0, 3), (None, 10)])
async def test_1_no_wait_outlasts_patience(asked: float | None, tries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute counts from the first failure, and what comes before it does not; nor does a wait begin for nothing."""
    clock, started = Clock(), list[float]()
    monkeypatch.setattr(retry, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(retry, "random", SimpleNamespace(uniform=lambda least, _most: least))
    monkeypatch.setattr(retry, "asyncio", SimpleNamespace(sleep=lambda wait: wait))

    async def once() -> str:
        started.append(clock.now)
        clock.now += 100 if len(started) == 1 else 0
        raise TransientError("busy", retry_after=asked)

    async def aside(wait: Any) -> None:
        clock.now += wait

    with pytest.raises(TransientError, match="busy"):
        await RetryPolicy(first_wait=1, max_wait=8, patience=30).call(once, aside)
    assert len(started) == tries
    assert clock.now <= 130


async def test_2_without_a_refusal_nothing_waits() -> None:
    pacer = Pacer(Clock())
    for _ in range(1000):
        await pacer.wait_to_send()
        pacer.record_end(refused=False)
    assert pacer.rate is None


Ends = Callable[[float], str]
"""What becomes of a call that is sent at a time: answered, refused, failed."""


async def simulate(
    ends: Ends, in_flight: int, until: float, monkeypatch: pytest.MonkeyPatch, seconds: float = 1.0
) -> tuple[list[float], list[float]]:
    """When callers that call again and again are answered, and when refused: an answer and a failure take `seconds`, a
    refusal none; then a pause follows."""
    clock, dice, answers, refusals, numbers = Clock(), random.Random(7), list[float](), list[float](), count()
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
            end = ends(clock.now)
            await sleep(0.0 if end == "refused" else seconds)
            pacer.record_end(refused=end == "refused")
            if end == "answered":
                failures = 0
                answers.append(clock.now)
                continue
            if end == "refused":
                refusals.append(clock.now)
            failures += 1
            await sleep(min(60, 2 ** (failures - 1)) * dice.uniform(0.5, 1))

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


def bucket(limit: float, outage: float = 0.0) -> Ends:
    """A server that lets `limit` calls a second through, and a second's worth at once; from second 100 on it refuses all
    for a while."""
    left, filled = limit, 0.0

    def ends(now: float) -> str:
        nonlocal left, filled
        left, filled = min(limit, left + (now - filled) * limit), now
        if left < 1 or 100 <= now < 100 + outage:
            return "refused"
        left -= 1
        return "answered"

    return ends


@pytest.mark.parametrize(("limit", "in_flight"), [(3.0, 16), (8.0, 256), (50.0, 64)])
async def test_3_the_pace_settles_at_the_limit(limit: float, in_flight: int, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, refusals = await simulate(bucket(limit), in_flight, 400, monkeypatch)
    allowed = min(limit, float(in_flight))
    late, refused_late = (sum(at >= 200 for at in times) for times in (answers, refusals))
    assert 0.9 * allowed <= late / 200 <= 1.01 * allowed
    assert refused_late <= 0.05 * (late + refused_late)
    assert len(refusals) <= 0.05 * (len(answers) + len(refusals)) + 4 * in_flight


@pytest.mark.parametrize(("refused", "failed", "seconds"), [(0.05, 0.0, 1.0), (0.1, 0.5, 1.0), (0.3, 0.3, 8.0)])
async def test_4_refusals_whatever_the_pace_do_not_slow_the_run(
    refused: float, failed: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answers() -> int:
        dice = random.Random(1)

        def ends(_now: float) -> str:
            value = dice.random()
            return "refused" if value < refused else "failed" if value < refused + failed else "answered"

        return len((await simulate(ends, 32, 60 * max(seconds, 4), monkeypatch, seconds))[0])

    with_pace = await answers()
    monkeypatch.setattr(Pacer, "record_end", lambda _self, refused: None)  # noqa: ARG005
    assert with_pace >= 0.75 * await answers()


@pytest.mark.parametrize("outage", [5.0, 200.0])
async def test_5_a_pace_that_was_lost_comes_back(outage: float, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, _ = await simulate(bucket(8.0, outage), 32, 100 + outage + 140, monkeypatch)
    assert sum(at >= 100 + outage + 100 for at in answers) >= 0.8 * 8 * 40


async def test_6_who_waits_lets_others_have_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge's server is slow to take calls; the writer's are not held up by that, and a stop ends the wait."""
    gate, slow, written = Gate(2), Pacer(), list[int]()
    slow.rate = 0.001
    await slow.wait_to_send()
    monkeypatch.setattr(server, "Pacer", lambda: slow)
    model = resolve("openai/any", api_base="http://localhost:1/v1", env={})

    async def judged() -> None:
        async with gate.permit(depth=9) as aside:
            await model.engine.servers[0].ask(request(), aside)

    async def writes(number: int) -> None:
        async with gate.permit(depth=0):
            await asyncio.sleep(0)
            written.append(number)

    judges = [asyncio.create_task(judged()) for _ in range(8)]
    await asyncio.wait_for(asyncio.gather(*map(writes, range(20))), 5)
    assert sorted(written) == list(range(20))
    gate.close()
    assert [type(end) for end in await asyncio.gather(*judges, return_exceptions=True)] == [RunStopped] * 8
    assert gate.in_flight == 0
