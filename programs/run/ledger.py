"""What a run counts of itself: what it has under way and waits for, what it answered without asking, what it spent and may
spend, what became of its texts and traces. A journal holds all runs."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from programs.asking.ask import Ask
from programs.asking.models import concurrency_of, few_slots
from programs.asking.reply import Reply
from programs.errors import TransientError
from programs.lms.failures import kind
from programs.lms.meter import Spent
from programs.run.budget import Budget
from programs.run.gate import Gate
from programs.run.index import Index
from programs.run.reading import Reading
from programs.settings import Settings
from programs.tracer import SampleOutcome

FRESH = 30.0
"""Seconds for which a refusal of the rate is told after the last one."""

RATE_LIMITED = "429"


class Trouble:
    """Failures that are followed by another try, as they happen: a call that is tried again is in no account before it
    ends. `faults` counts them by kind; `last` is the newest, in one line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.faults: Counter[str] = Counter()
        self.last: str | None = None
        self._clock = clock
        self._pauses: list[float] = []
        self._refused: float | None = None

    def will_retry(self, error: TransientError, seconds: float) -> None:
        """A call failed, and is tried again after so many seconds."""
        now, name = self._clock(), kind(error)
        self.faults[name] += 1
        self.last = " ".join(str(error).split())
        self._pauses = [*(until for until in self._pauses if until > now), now + seconds]
        if name == RATE_LIMITED:
            self._refused = now

    @property
    def waited_for(self) -> str | None:
        """What calls are waiting for, in words; None: nothing out of the ordinary."""
        now = self._clock()
        pauses = [until - now for until in self._pauses if until > now]
        limited = self._refused is not None and now - self._refused < FRESH
        if not pauses:
            return "rate limited: the server refuses calls, so they are sent more slowly" if limited else None
        why = "rate limited" if limited else "retrying"
        calls = "1 call waits" if len(pauses) == 1 else f"{len(pauses)} calls wait"
        return f"{why}: {calls} to be tried again, the next in {min(pauses):.0f} s"


@dataclass
class Ledger:
    """`on_reply` is told of each reply. `reading` is None until the run begins. `since` is the offset in the journal at
    which it began; `traces` counts the variations that it decided, by status, of the accepted ones how many more there are
    than the `accepted_before`. `goal` is the number of traces that all runs together are to make, and `room` how many more
    texts may be begun; None for any number. `total` is what this run spent, `reused` how many stages the journal answered,
    `already_done` how many texts were done when they were read, `texts_done` and `traces_done` how many texts were driven
    to their end, with how many accepted traces."""

    gate: Gate
    budget: Budget
    on_reply: Callable[[Ask, Reply], None] = lambda _ask, _reply: None
    trouble: Trouble = field(default_factory=Trouble)
    reading: Reading | None = None
    since: int = 0
    accepted_before: int = 0
    goal: int | None = None
    room: Callable[[], int | None] = lambda: None
    traces: Counter[str] = field(default_factory=Counter)
    total: Spent = field(default_factory=Spent)
    reused: int = 0
    already_done: int = 0
    texts_done: int = 0
    traces_done: int = 0
    _started: float = field(default_factory=time.monotonic)
    _under_way: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, settings: Settings) -> "Ledger":
        """That of a run by these settings."""
        capacity = settings.concurrency or concurrency_of(settings.model)
        texts = max(1, capacity // 2) if few_slots(settings.model) else None
        return cls(Gate(capacity, texts), Budget(settings, settings.max_output_tokens))

    def begin(self, reading: Reading, index: Index, goal: int | None, room: Callable[[], int | None]) -> None:
        """The run begins: what stands in the journal by now is of earlier ones. `goal` counts their traces too."""
        self.accepted_before = index.counts().get("accepted", 0)
        self.reading, self.since, self.goal, self.room = reading, index.end, goal, room

    def begins(self, sample: str) -> None:
        """A text is under way."""
        self._under_way.add(sample)

    def answered(self, ask: Ask, reply: Reply) -> None:
        """A call of a stage was answered."""
        self._under_way.add(ask.sample)
        self.total += reply.spent
        self.budget.spend(ask, reply)
        self.on_reply(ask, reply)

    def sample(self, sample: str, outcome: SampleOutcome) -> None:
        """A text was driven to its end."""
        self.texts_done += 1
        self.traces_done += sum(variation.accepted for variation in outcome.variations)
        self._under_way.discard(sample)

    def variation(self, status: str, before: str | None) -> None:
        """A variation was decided. `before` is what this run, or of an accepted one whichever run, had made of it."""
        self.traces[status] += 1
        if before is not None:
            self.traces[before] -= 1

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    @property
    def under_way(self) -> int:
        """How many texts are under way."""
        return len(self._under_way)

    @property
    def to_begin(self) -> float | None:
        """How many texts will still be begun; None: nobody knows."""
        given = None if self.reading is None else self.reading.to_begin()
        return min((number for number in (given, self.room()) if number is not None), default=None)

    @property
    def stopping(self) -> str | None:
        """Why no new call starts any more; None: they do."""
        if not self.gate.closed:
            return None
        return "interrupted" if self.gate.interrupted else "the budget is spent" if self.budget.reached else "an error"
