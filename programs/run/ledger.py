"""What a run counts of itself, where its journal holds all runs."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.errors import TransientError
from programs.lms.failures import kind
from programs.lms.meter import Spent
from programs.run.budget import Budget
from programs.run.gate import Gate
from programs.run.reading import Reading


@dataclass
class Ledger:
    """`since` is the offset in the journal at which the run began. `traces` counts the variations of all runs by status, of
    which `accepted_before` were accepted before this one; `goal` is how many are to be in the end, `room` how many texts
    may be begun or taken up again; None for any number. `total` is what this run spent, `reused` how many stages the
    journal answered, `already_done` how many texts earlier runs had done. `faults` counts by kind the failures that are
    followed by another try; `last_fault` is the newest, in one line. `on_reply` is told of each reply."""

    gate: Gate
    budget: Budget
    reading: Reading
    since: int = 0
    traces: Counter[str] = field(default_factory=Counter)
    goal: int | None = None
    room: Callable[[], int | None] = lambda: None
    on_reply: Callable[[Ask, Reply], None] = lambda _ask, _reply: None
    accepted_before: int = field(init=False)
    total: Spent = field(default_factory=Spent)
    reused: int = 0
    already_done: int = 0
    texts_done: int = 0
    under_way: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    last_fault: str | None = None
    _tries_at: list[float] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.accepted_before = self.traces["accepted"]

    def answered(self, ask: Ask, reply: Reply) -> None:
        self.total += reply.spent
        self.budget.spend(ask, reply)
        self.on_reply(ask, reply)

    def will_retry(self, error: TransientError, seconds: float) -> None:
        """A call failed, and is tried again in so many seconds: it is in no account before it ends."""
        self.faults[kind(error)] += 1
        now = time.monotonic()
        self._tries_at = [*(then for then in self._tries_at if then > now), now + seconds]
        self.last_fault = " ".join(str(error).split())

    @property
    def waiting(self) -> int:
        """How many calls wait to be tried again."""
        return 0 if self.gate.closed else sum(then > time.monotonic() for then in self._tries_at)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    @property
    def to_end(self) -> float | None:
        """How many texts will still be driven to their end, those under way included; None: nobody knows."""
        texts, room = self.reading.texts, self.room()
        # What is taken up again counts among the done ones already.
        left = None if texts is None else max(self.under_way, texts - self.already_done - self.texts_done)
        most = None if room is None else room + self.under_way
        return min((number for number in (left, most) if number is not None), default=None)

    @property
    def stopping(self) -> str | None:
        """Why no new call starts any more; None: they do."""
        if not self.gate.closed:
            return None
        return "interrupted" if self.gate.interrupted else "the budget is spent" if self.budget.reached else "an error"
