"""When a run will end: the calls that are left, at the pace of late. No more than a guess, and shown as one.

What a text takes is the mean of those that are done; before there are any, it is what the plan says. It is fed with
snapshots and knows no clock.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from programs.asking.ask import Ask

PLANNED_TEXTS = 2
"""For how many texts the plan counts, beside those that are done."""

SNAPSHOTS = 256
"""As many are kept; then every other one is forgotten."""


@dataclass(frozen=True)
class Limits:
    """What a run may spend; None: no limit."""

    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """A run `at` seconds after its first call began. `asks` were answered by models: `open_asks` of them for the `open`
    texts under way, `done_asks` for the `done` ones, which gave `traces`. `to_begin` texts are still to come (None: nobody
    knows); `accepted` traces are of this run, `wanted` as well (None: all that there are). `tokens` and `cost` are None
    where they are unknown."""

    at: float = 0.0
    asks: int = 0
    open: int = 0
    open_asks: int = 0
    done: int = 0
    done_asks: int = 0
    traces: int = 0
    to_begin: float | None = None
    accepted: int = 0
    wanted: int | None = None
    calls: int = 0
    tokens: int | None = 0
    cost: float | None = 0.0


@dataclass(frozen=True)
class Estimate:
    """`seconds` from the last snapshot to the end, which comes when all is done, or else when the budget of `budget` is
    spent; `traces` are those that this run will have when all is done, None where the end of the input is not in sight."""

    seconds: float
    budget: str | None = None
    traces: float | None = None


class Estimator:
    """Says when a run will end. `asks` are those of a text with which all goes as planned, `traces` what it gives."""

    def __init__(self, asks: float, traces: float, limits: Limits | None = None) -> None:
        self._asks, self._traces = asks, traces
        self._limits = limits or Limits()
        self._history = [Snapshot()]

    def feed(self, snapshot: Snapshot) -> None:
        """Takes the next snapshot; times never go back."""
        self._history.append(snapshot)
        if len(self._history) > SNAPSHOTS:
            self._history = [*self._history[:-1:2], snapshot]

    def estimate(self) -> Estimate | None:
        """The end as the last snapshot lets it be seen; None while nothing was answered, or nobody knows how much is left
        and no budget ends the run."""
        now = self._history[-1]
        then = max((one for one in self._history if 2 * one.at <= now.at), key=lambda one: one.at)
        if now.at <= then.at or now.asks <= then.asks:
            return None
        return min(filter(None, (self._end(now, then), *self._budgets(now, then))), key=_seconds, default=None)

    def _end(self, now: Snapshot, then: Snapshot) -> Estimate | None:
        texts = now.done + PLANNED_TEXTS
        asks = (now.done_asks + PLANNED_TEXTS * self._asks) / texts
        traces = (now.traces + PLANNED_TEXTS * self._traces) / texts
        to_begin = now.to_begin
        if now.wanted is not None:
            needed = max(0.0, (now.wanted - now.accepted) / traces - now.open)
            to_begin = needed if to_begin is None else min(needed, to_begin)
        if to_begin is None:
            return None
        left = to_begin * asks + max(now.open * asks - now.open_asks, now.open / 2)
        given = now.accepted + (now.open + to_begin) * traces
        pace = (now.asks - then.asks) / (now.at - then.at)
        return Estimate(left / pace, traces=given if now.wanted is None else min(given, now.wanted))

    def _budgets(self, now: Snapshot, then: Snapshot) -> list[Estimate | None]:
        seconds = now.at - then.at
        return [
            _spent("calls", self._limits.calls, now.calls, then.calls, seconds),
            _spent("tokens", self._limits.tokens, now.tokens, then.tokens, seconds),
            _spent("cost", self._limits.cost, now.cost, then.cost, seconds),
        ]


def _seconds(estimate: Estimate) -> float:
    return estimate.seconds


def _spent(what: str, limit: float | None, now: float | None, then: float | None, seconds: float) -> Estimate | None:
    if limit is None or now is None or then is None or now <= then:
        return None
    return Estimate(max(0.0, limit - now) * seconds / (now - then), budget=what)


class Work:
    """Counts the asks of a run as they come. A call is in flight from when it gets a place at the gate until it has its
    reply, pauses between tries included; a text is open from `begins`, or its first ask, until `finishes`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.in_flight = 0
        self._clock = clock
        self._first: float | None = None
        self._asks = self._done = self._done_asks = self._traces = 0
        self._open: dict[str, int] = {}

    @property
    def open(self) -> int:
        """How many texts are open."""
        return len(self._open)

    def begins(self, sample: str) -> None:
        """A text may ask."""
        self._open.setdefault(sample, 0)

    def enters(self) -> None:
        """A call gets its place."""
        if self._first is None:
            self._first = self._clock()
        self.in_flight += 1

    def leaves(self) -> None:
        """A call gives its place back."""
        self.in_flight -= 1

    def asked(self, ask: Ask) -> None:
        """A model answered."""
        self._asks += 1
        self._open[ask.sample] = self._open.get(ask.sample, 0) + 1

    def finishes(self, sample: str, traces: int) -> None:
        """A text was driven to its end, and gave so many accepted traces."""
        self._done += 1
        self._done_asks += self._open.pop(sample, 0)
        self._traces += traces

    def snapshot(
        self,
        *,
        to_begin: float | None = None,
        accepted: int = 0,
        wanted: int | None = None,
        calls: int = 0,
        tokens: int | None = 0,
        cost: float | None = 0.0,
    ) -> Snapshot:
        """The work as it stands, with what others know of it."""
        return Snapshot(
            at=0.0 if self._first is None else self._clock() - self._first,
            asks=self._asks,
            open=len(self._open),
            open_asks=sum(self._open.values()),
            done=self._done,
            done_asks=self._done_asks,
            traces=self._traces,
            to_begin=to_begin,
            accepted=accepted,
            wanted=wanted,
            calls=calls,
            tokens=tokens,
            cost=cost,
        )
