"""Runs on a simulated clock: the real gate and the real counting, texts that only take time, an end that is known.

found = played(Shape(texts=200, places=16, rejected=0.3))
found.worst(0.1)        # the largest error of the estimate of the end after the first tenth, as a share of the whole run
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from programs.asking.plan import Ask
from programs.progress.estimate import Estimate, Estimator, Limits
from programs.progress.work import Work
from programs.running.gate import Gate, RunStopped

LATENCIES = {
    "questions": 1.5,
    "context": 0.8,
    "hypotheses": 1.0,
    "evidence": 1.0,
    "critique": 0.9,
    "perspective": 0.7,
    "trace": 2.5,
    "answer": 0.8,
    "judge": 0.5,
}
STRANDS = ("hypotheses", "evidence", "critique", "perspective")


@dataclass(frozen=True)
class Shape:
    """A run. `rejected` of the attempts are judged too low (None: no judges), at most `attempts` are made; `barren` of the
    texts give nothing beyond their questions. `spread` is the standard deviation of a latency over its mean. `rate`: calls
    a second that the server takes; with `refuses` it refuses the others, which are tried again after waits that double.
    `half_done` texts were begun by an earlier run, which answered some of their asks. `told`: whether the number of texts
    is known. `every`: seconds between two looks."""

    texts: int = 200
    places: int = 16
    wanted: int | None = None
    judges: int = 2
    rejected: float | None = None
    attempts: int = 3
    barren: float = 0.0
    latencies: Mapping[str, float] = field(default_factory=lambda: LATENCIES)
    spread: float = 0.4
    rate: float | None = None
    refuses: bool = False
    half_done: int = 0
    told: bool = True
    max_calls: int | None = None
    every: float = 2.0
    seed: int = 0


@dataclass
class Played:
    """What was estimated on the way: (seconds since the first call, estimate), and how long the run took."""

    took: float
    calls: int
    traces: int
    seen: list[tuple[float, Estimate | None]]

    def errors(self, after: float) -> list[float]:
        """How far each estimate of the end was off, as a share of the whole run; too late is above 0."""
        late = [(at, found) for at, found in self.seen if at >= after * self.took]
        assert all(found is not None for _, found in late), "no estimate"
        return [(at + found.seconds - self.took) / self.took for at, found in late if found is not None]

    def worst(self, after: float) -> float:
        return max(map(abs, self.errors(after)))


class _Clock(selectors.SelectSelector):
    """Does not wait: where a loop would sleep, its time is moved on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return super().select(0)


def simulated(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Runs a coroutine on a loop whose time passes at once."""
    clock = _Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def played(shape: Shape) -> Played:
    """Plays the whole run."""

    async def play() -> Played:
        return await _Run(shape).play()

    return cast(Played, simulated(play))


class _Run:
    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._dice = random.Random(shape.seed)
        self._loop = asyncio.get_running_loop()
        self._work = Work(self._loop.time)
        self._gate = Gate(shape.places)
        self._accepted = self._calls = self._begun = self._granted = 0
        self._next_turn = self._filled = 0.0
        self._tokens = shape.rate or 0.0
        judged = shape.judges if shape.rejected is not None else 0
        self._estimator = Estimator(8 + judged, 1, Limits(calls=shape.max_calls))
        self._seen: list[tuple[float, Estimate | None]] = []

    async def play(self) -> Played:
        watching = asyncio.ensure_future(self._watch())
        tasks: set[asyncio.Task[None]] = set()
        while self._begun < self._shape.texts and not self._gate.closed:
            want = self._shape.wanted
            if len(tasks) < self._gate.texts and (want is None or self._accepted + self._granted < want):
                self._granted += 1
                tasks.add(asyncio.ensure_future(self._begin(self._begun)))
                self._begun += 1
                await asyncio.sleep(0)
            elif want is not None and self._accepted >= want:
                break
            else:
                _, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks:
            await asyncio.wait(tasks)
        took = self._work.snapshot().at
        watching.cancel()
        return Played(took, self._calls, self._accepted, self._seen)

    async def _watch(self) -> None:
        while True:
            shape = self._shape
            await asyncio.sleep(shape.every)
            snapshot = self._work.snapshot(
                capacity=shape.places,
                to_begin=float(shape.texts - self._begun) if shape.told else None,
                known_to_begin=shape.half_done,
                accepted=self._accepted,
                wanted=shape.wanted,
                calls=self._calls,
            )
            self._estimator.feed(snapshot)
            self._seen.append((snapshot.at, self._estimator.estimate()))

    async def _begin(self, number: int) -> None:
        with contextlib.suppress(RunStopped):
            await self._text(number)

    async def _text(self, number: int) -> None:
        shape, sample = self._shape, f"{number:x}"
        self._work.begins(sample)
        kept = self._dice.randint(1, 8) if number < shape.half_done else 0
        accepted = 0
        try:
            await self._ask("questions", 0, sample, kept > 0)
            if self._dice.random() < shape.barren:
                return
            await self._ask("context", 1, sample, kept > 1)
            strands = [self._ask(name, 2, sample, kept > 2 + place) for place, name in enumerate(STRANDS)]
            await _all(strands)
            for _ in range(shape.attempts if shape.rejected is not None else 1):
                await self._ask("trace", 3, sample, kept > 6)
                await self._ask("answer", 4, sample, kept > 7)
                if shape.rejected is not None:
                    await _all([self._ask("judge", 5, sample, False) for _ in range(shape.judges)])
                if shape.rejected is None or self._dice.random() >= shape.rejected:
                    accepted = 1
                    self._accepted += 1
                    break
                kept = 0
        finally:
            self._granted -= 1
            self._work.finishes(sample, accepted)

    async def _ask(self, stage: str, depth: int, sample: str, kept: bool) -> None:
        ask = Ask(stage, f"{stage}/{sample}", cast(Any, None), {}, depth)
        if kept:
            self._work.replayed(ask)
            return
        async with self._gate.slot(depth, sample):
            since = self._work.enters()
            self._calls += 1
            if self._calls == self._shape.max_calls:
                self._gate.close()
            await self._turn()
            mean, spread = self._shape.latencies[stage], self._shape.spread
            shape = 1 / spread**2 if spread else None
            await asyncio.sleep(self._dice.gammavariate(shape, mean / shape) if shape else mean)
            seconds = self._work.leaves(since)
        self._work.asked(ask, seconds)

    async def _turn(self) -> None:
        wait = 1.0
        while self._shape.rate is not None and self._shape.refuses:
            now = self._loop.time()
            self._tokens = min(self._shape.rate, self._tokens + (now - self._filled) * self._shape.rate)
            self._filled = now
            if self._tokens >= 1:
                self._tokens -= 1
                return
            await asyncio.sleep(wait * self._dice.uniform(0.5, 1.0))
            wait = min(60.0, 2 * wait)
        if self._shape.rate is not None:
            now = self._loop.time()
            self._next_turn = max(self._next_turn, now) + 1 / self._shape.rate
            await asyncio.sleep(self._next_turn - 1 / self._shape.rate - now)


async def _all(asks: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Waits for all of them, then raises the first error."""
    for found in await asyncio.gather(*asks, return_exceptions=True):
        if found is not None:
            raise found
