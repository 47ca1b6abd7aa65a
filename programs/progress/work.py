"""What the asks and the texts of a run take, counted as they come: what the estimate of its end is made from.

Counting an ask is a few additions: thousands a second must not be felt.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from programs.asking.plan import Ask
from programs.progress.course import Course
from programs.progress.estimate import Snapshot, Stage


@dataclass
class _Text:
    """A text under way: how many asks it was answered, by stage, and whether an earlier run began it."""

    asks: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    known: bool = False


class Work:
    """A call is in flight from when it gets a place at the gate until it has its reply, pauses between tries included.

    A text is open from `begins`, or its first ask, until `finishes`; it is known when its first ask is answered from the
    journal.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.in_flight = 0
        self._clock = clock
        self._first: float | None = None
        self._entered = self._held = 0.0
        self._stages: dict[str, Stage] = {}
        self._open: dict[str, _Text] = {}
        self._asks_open: Counter[str] = Counter()
        self._asked: list[Counter[str]] = []
        self._ended: Counter[int] = Counter()
        self._gave: Counter[int] = Counter()
        self.known_begun = 0
        self._replayed: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many texts are open."""
        return len(self._open)

    @property
    def mean_in_flight(self) -> float:
        """How many calls were in flight on the mean, from the first call until now; 0 before it."""
        seen = self.snapshot()
        return seen.busy / seen.at if seen.at else 0.0

    @property
    def tail(self) -> float:
        """The seconds that a text takes when nothing keeps it waiting: the slowest stage of each depth."""
        slowest: dict[int, float] = {}
        for stage in self._stages.values():
            slowest[stage.depth] = max(slowest.get(stage.depth, 0.0), stage.seconds / stage.asks)
        return sum(slowest.values())

    @property
    def held(self) -> float:
        """The seconds for which calls that have ended held their places."""
        return self._held

    def begins(self, sample: str) -> None:
        """A text may ask."""
        self._open.setdefault(sample, _Text())

    def enters(self) -> float:
        """A call gets its place. Gives the time, for `leaves`."""
        now = self._clock()
        if self._first is None:
            self._first = now
        self.in_flight += 1
        self._entered += now
        return now

    def leaves(self, since: float) -> float:
        """A call gives its place back. Gives the seconds for which it had it."""
        held = self._clock() - since
        self.in_flight -= 1
        self._entered -= since
        self._held += held
        return held

    def asked(self, ask: Ask, seconds: float) -> None:
        """An ask has its reply, after so many seconds at its place."""
        stage = self._stages.get(ask.account)
        if stage is None:
            self._stages[ask.account] = Stage(1, seconds, ask.depth)
        else:
            self._stages[ask.account] = Stage(stage.asks + 1, stage.seconds + seconds, stage.depth)
        self._count(ask)

    def replayed(self, ask: Ask) -> None:
        """An ask was answered from the journal."""
        text = self._count(ask)
        if text.asks == 1:
            text.known = True
            self.known_begun += 1
        if text.known:
            self._replayed[ask.account] += 1

    def finishes(self, sample: str, traces: int) -> None:
        """A text was driven to its end, and gave so many accepted traces."""
        text = self._open.pop(sample, _Text())
        self._asks_open.subtract(text.stages)
        self._ended[text.asks] += 1
        self._gave[text.asks] += traces

    def _count(self, ask: Ask) -> _Text:
        text = self._open.setdefault(ask.sample, _Text())
        if text.asks == len(self._asked):
            self._asked.append(Counter())
        self._asked[text.asks][ask.account] += 1
        self._asks_open[ask.account] += 1
        text.stages[ask.account] += 1
        text.asks += 1
        return text

    def snapshot(self, known_to_begin: int = 0, **more: Any) -> Snapshot:
        """The work as it stands. `known_to_begin` texts of earlier runs were to come when the run began; `more` are the
        fields of `Snapshot` that others know."""
        now = self._clock()
        return Snapshot(
            at=0.0 if self._first is None else now - self._first,
            busy=self._held + self.in_flight * now - self._entered,
            in_flight=self.in_flight,
            stages=dict(self._stages),
            course=Course([dict(asked) for asked in self._asked], dict(self._ended), dict(self._gave)),
            open=len(self._open),
            asks_open=dict(self._asks_open),
            known_begun=self.known_begun,
            known_to_begin=max(0, known_to_begin - self.known_begun),
            replayed=dict(self._replayed),
            **more,
        )
