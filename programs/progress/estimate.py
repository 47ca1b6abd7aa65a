"""When a run will end, from what it has done so far. Pure: it is fed with snapshots, and knows no clock.

The unit is the time for which calls hold a place at the gate, their pauses and waiting turns included. In it a run goes on
at a steady pace, the number of calls in flight, also while its first texts have given nothing yet, and also where a server
limits the rate: its calls then hold their places for longer. Traces, in contrast, come late and in bursts.

    work left = texts left x (asks of a text x time of an ask), less what the texts under way have had
    time left = work left / calls in flight, and a part of the way of the last text, which goes on alone

What an ask takes, and the calls in flight, are those of the latter half of the run so far: a slow start is soon forgotten,
and a pace that changes is followed. What a text takes is said by `programs.progress.course`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from programs.progress.course import Course, Expected, expected

CHAIN = 5
"""Questions, context, strands, trace and answer follow one another in every text."""

LAST_TEXTS = 0.5
"""Which part of a text's way is gone at the end with places empty."""

FEWEST = 30
"""Asks in the latter half of the run below which the whole run is looked at."""

SNAPSHOTS = 256
"""As many are kept; then every other one is forgotten."""


@dataclass(frozen=True)
class Stage:
    """What the asks of a stage have taken: `seconds` in all, at a place at the gate. `depth` is the ask's."""

    asks: int
    seconds: float
    depth: int

    def since(self, before: "Stage") -> "Stage":
        """What was taken after `before`."""
        return Stage(self.asks - before.asks, self.seconds - before.seconds, self.depth)


@dataclass(frozen=True)
class Limits:
    """What a run may spend; None: no limit."""

    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """A run at a moment, `at` seconds after its first call began.

    `busy` are the seconds for which calls held their places, those in flight included. A text is open from its start until
    it is done; `asks_open` counts what those were answered, from the journal too. `known_begun` of all texts were begun by
    an earlier run, and `replayed` is what they took from the journal. `to_begin` texts are still to come (None: nobody
    knows), `known_to_begin` of them from earlier runs. `accepted` traces are of this run, `wanted` as well (None: all that
    there are). `tokens` and `cost` are None where they are unknown.
    """

    at: float = 0.0
    busy: float = 0.0
    in_flight: int = 0
    capacity: int = 1
    lanes: bool = False
    stages: Mapping[str, Stage] = field(default_factory=dict)
    course: Course = field(default_factory=Course)
    open: int = 0
    asks_open: Mapping[str, int] = field(default_factory=dict)
    known_begun: int = 0
    replayed: Mapping[str, int] = field(default_factory=dict)
    to_begin: float | None = None
    known_to_begin: int = 0
    accepted: int = 0
    wanted: int | None = None
    calls: int = 0
    tokens: int | None = 0
    cost: float | None = 0.0

    @property
    def asks(self) -> int:
        """How many asks were answered by models."""
        return sum(stage.asks for stage in self.stages.values())

    @property
    def held(self) -> float:
        """The seconds for which the calls of these asks held their places."""
        return sum(stage.seconds for stage in self.stages.values())


@dataclass(frozen=True)
class Estimate:
    """`seconds` from the last snapshot to the end, which comes when all is done, or else when the budget of `budget` is
    spent; `traces` are those that this run will have when all is done, None where the end of the input is not in sight."""

    seconds: float
    budget: str | None = None
    traces: float | None = None


@dataclass(frozen=True)
class _Pace:
    """`in_flight` calls on the mean that got on; `means` are the seconds of an ask by stage, `mean` those of any."""

    in_flight: float
    means: Mapping[str, float]
    mean: float

    def of(self, asks: Mapping[str, float]) -> float:
        """The seconds of so many asks by stage."""
        return sum(count * self.means.get(stage, self.mean) for stage, count in asks.items())


class Estimator:
    """Says when a run will end. `asks` are those of a text with which all goes as planned, `traces` what it gives."""

    def __init__(self, asks: float, traces: float, limits: Limits | None = None) -> None:
        self._asks, self._traces = round(asks), traces
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
        then = self._halfway(now)
        text = expected(now.course, self._asks, self._traces)
        to_begin = _texts_to_begin(now, text)
        pace = _pace(now, then)
        if pace is None:
            return None
        budget = _budget(now, then, self._limits, text, pace)
        if to_begin is None:
            return budget
        traces = now.accepted + (now.open + to_begin) * text.traces
        traces = traces if now.wanted is None else min(traces, now.wanted)
        seconds = _seconds(now, to_begin, text, pace)
        if now.wanted is not None and to_begin > 0:
            seconds += LAST_TEXTS * _path(now, to_begin, text, pace) * _rounds(now, text.traces / self._traces)
        end = Estimate(seconds, traces=traces)
        return end if budget is None or end.seconds <= budget.seconds else budget

    def _halfway(self, now: Snapshot) -> Snapshot:
        halfway = max((one for one in self._history if 2 * one.at <= now.at), key=lambda one: one.at)
        return halfway if now.asks - halfway.asks >= FEWEST else self._history[0]


def _texts_to_begin(now: Snapshot, text: Expected) -> float | None:
    if now.wanted is None:
        return now.to_begin
    wanted = max(0, now.wanted - now.accepted)
    needed = wanted / text.traces if text.traces > 0 else float(wanted)
    more = max(0.0, needed - now.open)
    return more if now.to_begin is None else min(more, now.to_begin)


def _rounds(now: Snapshot, taken: float) -> float:
    """How often, at the end, another text has to be begun for one that gave nothing: the largest of so many geometric
    numbers, when this share of the traces is taken."""
    under_way = min((now.wanted or 0) - now.accepted, now.capacity)
    return math.log(under_way) / -math.log(1 - taken) if under_way > 1 and 0 < taken < 1 else 0.0


def _pace(now: Snapshot, then: Snapshot) -> _Pace | None:
    seconds = now.at - then.at
    if seconds <= 0 or not now.asks:
        return None
    means: dict[str, float] = {}
    asks, busy = 0, 0.0
    for name, stage in now.stages.items():
        before = then.stages.get(name)
        # A stage that was not asked of late took what it has taken before.
        lately = stage if before is None or stage.asks == before.asks else stage.since(before)
        means[name] = lately.seconds / lately.asks
        asks, busy = asks + lately.asks, busy + lately.seconds
    mean = busy / asks
    return _Pace((_progress(now, mean) - _progress(then, mean)) / seconds, means, mean)


def _progress(snapshot: Snapshot, mean: float) -> float:
    """Seconds at a place that brought an answer nearer. Of calls in flight no more than an ask takes: one that is refused
    again and again holds its place for long, and gets nowhere."""
    return snapshot.held + min(snapshot.busy - snapshot.held, snapshot.in_flight * mean)


def _seconds(now: Snapshot, to_begin: float, text: Expected, pace: _Pace) -> float:
    had = pace.of(now.asks_open) + min(now.busy - now.held, now.in_flight * pace.mean / 2)
    had += min(now.known_to_begin, to_begin) / max(1, now.known_begun) * pace.of(now.replayed)
    work = max((now.open + to_begin) * _a_text(text, pace) - had, now.open * pace.mean / 2)
    most = min(now.capacity, now.open) if now.lanes else now.capacity
    places = pace.in_flight if to_begin > 0 else max(pace.in_flight, most)
    path = _path(now, to_begin, text, pace)
    return max(work / max(places, 1e-9) + LAST_TEXTS * path, path)


def _a_text(text: Expected, pace: _Pace) -> float:
    return pace.of(text.asks) + text.unseen * pace.mean


def _path(now: Snapshot, to_begin: float, text: Expected, pace: _Pace) -> float:
    """The seconds that the last text takes when nothing keeps it waiting: the slowest of the stages of each depth, as far
    as any text has them still before it."""
    by_depth: dict[int, float] = {}
    for name, stage in now.stages.items():
        left = text.asks.get(name, 0.0) * now.open - now.asks_open.get(name, 0)
        seconds = pace.means[name] if to_begin > 0 or left >= 0.5 else 0.0
        by_depth[stage.depth] = max(by_depth.get(stage.depth, 0.0), seconds)
    return sum(by_depth.values()) + max(0, CHAIN - len(by_depth)) * pace.mean


def _budget(now: Snapshot, then: Snapshot, limits: Limits, text: Expected, pace: _Pace) -> Estimate | None:
    """When the first of the budgets is spent: calls at the pace of the work, as their stages differ, the others as fast as
    they were spent of late."""
    seconds = now.at - then.at
    found = [
        _spent("tokens", limits.tokens, now.tokens, then.tokens, seconds),
        _spent("cost", limits.cost, now.cost, then.cost, seconds),
    ]
    if limits.calls is not None and pace.in_flight > 0:
        a_call = _a_text(text, pace) / (sum(text.asks.values()) + text.unseen) * now.asks / max(1, now.calls)
        found.append(Estimate(max(0, limits.calls - now.calls) * a_call / pace.in_flight + a_call, budget="calls"))
    return min((one for one in found if one is not None), key=lambda one: one.seconds, default=None)


def _spent(what: str, limit: float | None, now: float | None, then: float | None, seconds: float) -> Estimate | None:
    if limit is None or now is None or then is None or now <= then:
        return None
    return Estimate(max(0.0, limit - now) * seconds / (now - then), budget=what)
