"""What one run counts about itself; its journal covers all runs."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.errors import TransientError
from programs.lms.failures import fault_kind
from programs.lms.meter import ResourceUsage
from programs.run.budget import Budget
from programs.run.gate import Gate
from programs.run.reading import Reading


class Retries:
    """The failures that were followed by a retry. `faults` counts them by kind; `last` is the newest, on one line."""

    def __init__(self) -> None:
        self.faults, self.last = Counter[str](), ""
        self._times: list[float] = []

    def record(self, error: TransientError, seconds: float) -> None:
        """Counts a failed call that is retried in `seconds`. What it spent is added once the call has ended."""
        self.faults[fault_kind(error)] += 1
        now = time.monotonic()
        self._times = [*(retry_time for retry_time in self._times if retry_time > now), now + seconds]
        self.last = " ".join(str(error).split())

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a retry."""
        return sum(retry_time > time.monotonic() for retry_time in self._times)


@dataclass
class Ledger:
    """`since`: the journal offset at which the run started. `traces`: variations of all runs by status; `accepted_before`:
    those accepted before this run. `goal`: accepted traces wanted in all, `room`: texts that may still be started or
    resumed, None for any number. `total`: what this run spent; `reused`: stages answered by the journal; `already_done`:
    texts read that earlier runs finished. `on_reply` is called with each reply."""

    gate: Gate
    budget: Budget
    reading: Reading
    retries: Retries = field(default_factory=Retries)
    since: int = 0
    traces: Counter[str] = field(default_factory=Counter)
    goal: int | None = None
    room: Callable[[], int | None] = lambda: None
    on_reply: Callable[[Ask, Reply], None] = lambda _ask, _reply: None
    accepted_before: int = field(init=False)
    total: ResourceUsage = field(default_factory=ResourceUsage)
    reused: int = 0
    already_done: int = 0
    texts_done: int = 0
    texts_in_progress: int = 0
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.accepted_before = self.traces["accepted"]

    def record_reply(self, ask: Ask, reply: Reply) -> None:
        self.total += reply.spent
        self.budget.spend(ask, reply)
        self.on_reply(ask, reply)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def texts_left(self) -> float | None:
        """The number of texts still to be finished, including those in progress; None if unknown."""
        texts, room = self.reading.texts, self.room()
        # Texts that are processed again are already counted as done.
        left = None if texts is None else max(self.texts_in_progress, texts - self.already_done - self.texts_done)
        limit = None if room is None else room + self.texts_in_progress
        return min((number for number in (left, limit) if number is not None), default=None)

    @property
    def stopping(self) -> str | None:
        """Why no new calls start; None while they do."""
        if not self.gate.closed:
            return None
        if self.gate.interrupted:
            return "interrupted"
        return "the budget is spent" if self.budget.reached else "an error"
