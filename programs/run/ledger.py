"""What a run did: counted while it runs, shown as it runs, summed up at its end; and what goes wrong between us and the
servers, as it happens: a call that is tried again is in no account before it ends."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from programs.asking.ask import Ask
from programs.asking.reply import Reply, Spent
from programs.errors import TransientError
from programs.lms.failures import kind
from programs.rejection import Rejection
from programs.run.estimate import Snapshot, Work
from programs.run.tally import reason_of
from programs.stages.questions import QuestionPool
from programs.tracer import SampleOutcome
from programs.traces.variation import Variation

FRESH = 30.0
"""Seconds for which a refusal of the rate is told after the last one."""

RATE_LIMITED = "429"


class Trouble:
    """Failures that are followed by another try. `faults` counts them by kind; `last` is the newest, in one line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.faults: Counter[str] = Counter()
        self.last: str | None = None
        self._clock = clock
        self._pauses: list[float] = []
        self._refused: float | None = None

    def pauses(self, error: TransientError, seconds: float) -> None:
        """A call failed, and is tried again after so many seconds."""
        now, name = self._clock(), kind(error)
        self.faults[name] += 1
        self.last = " ".join(str(error).split())
        self._pauses = [until for until in self._pauses if until > now]
        self._pauses.append(now + seconds)
        if name == RATE_LIMITED:
            self._refused = now

    def by_kind(self, accounted: Mapping[str, int]) -> Counter[str]:
        """The failures by kind; `accounted` are those of the calls that have ended, these included."""
        return Counter({name: max(self.faults[name], accounted.get(name, 0)) for name in {*self.faults, *accounted}})

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


@dataclass(frozen=True)
class Gauges:
    """What can be read off a run as it goes on: how many calls may be in flight, how many texts are still to come (None:
    nobody knows), what was spent so far (None: unknown), and why no new call starts any more (None: they do)."""

    capacity: Callable[[], int] = lambda: 1
    to_begin: Callable[[], float | None] = lambda: None
    cost: Callable[[], float | None] = lambda: None
    stopping: Callable[[], str | None] = lambda: None


class Decided(NamedTuple):
    """What a unit was: its status, why it was not taken, and whether it was decided in this run."""

    status: str
    rejection: Rejection | None
    now: bool


@dataclass
class Ledger:
    """Counts of this run. `accepted_before` are the traces of earlier runs, `units` by status those that this run decided,
    each by its last decision ("accepted": how many more there are than before); seconds are since the start; `cost` is
    None where prices or tokens are unknown, and `room` is how many more texts may be begun, None for any number."""

    started: float = field(default_factory=time.monotonic)
    work: Work = field(default_factory=Work)
    trouble: Trouble = field(default_factory=Trouble)
    gauges: Gauges = field(default_factory=Gauges)
    begun: bool = False
    accepted_before: int = 0
    goal: int | None = None
    room: int | None = None
    reused: int = 0
    already_done: int = 0
    samples_done: int = 0
    samples_failed: int = 0
    samples_without_questions: int = 0
    left: Counter[str] = field(default_factory=Counter)
    questions_taken: int = 0
    questions_rejected: Counter[str] = field(default_factory=Counter)
    sweeps: int = 0
    cost: float | None = None
    budget_reached: str | None = None
    units: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    spent: dict[tuple[str, str], Spent] = field(default_factory=dict)

    def begin(self, accepted: int, goal: int | None) -> None:
        self.accepted_before, self.goal, self.begun = accepted, goal, True

    def answered(self, ask: Ask, reply: Reply) -> None:
        """A stage was asked of a model."""
        key = (ask.account, reply.model)
        self.spent[key] = self.spent.get(key, Spent()) + reply.spent
        self.work.asked(ask)

    def replayed(self) -> None:
        """A stage was answered from the journal."""
        self.reused += 1

    def questions(self, pool: QuestionPool) -> None:
        """A text's questions were made. Each rejected one counts once, for its first reason, as in the funnel."""
        self.questions_taken += len(pool.questions)
        self.questions_rejected.update(reason_of(rejected.problems) for rejected in pool.rejected)
        self.questions_rejected.update(question.why for question in pool.dropped)
        self.samples_without_questions += not pool.questions

    def unit(self, unit: Variation, before: Decided | None = None) -> None:
        """A unit was decided, or decided again: what it was `before` no longer counts."""
        if before is not None:
            if before.now or before.status == "accepted":
                _uncount(self.units, before.status)
            if before.now:
                _uncount(self.reasons, _loss(before.status, before.rejection))
        self.units[unit.status] += 1
        if loss := _loss(unit.status, unit.rejection):
            self.reasons[loss] += 1

    def sample(self, sample: str, made: SampleOutcome) -> None:
        """A sample was driven to its end."""
        self.samples_done += 1
        self.work.finishes(sample, sum(unit.status == "accepted" for unit in made.variations))
        if made.failure is not None:
            self.samples_failed += 1
            self.reasons[f"failed: {str(made.failure)[:160]}"] += 1

    @property
    def total(self) -> Spent:
        """All that this run spent."""
        return sum(self.spent.values(), Spent())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def snapshot(self) -> Snapshot:
        """The run as it stands, for the estimate of its end."""
        spent, to_begin = self.total, self.gauges.to_begin()
        if self.room is not None:
            to_begin = self.room if to_begin is None else min(to_begin, self.room)
        tokens = None
        if spent.prompt_tokens is not None and spent.completion_tokens is not None:
            tokens = spent.prompt_tokens + spent.completion_tokens
        return self.work.snapshot(
            to_begin=to_begin,
            accepted=self.units["accepted"],
            wanted=None if self.goal is None else self.goal - self.accepted_before,
            calls=spent.calls,
            tokens=tokens,
            cost=self.gauges.cost(),
        )


def _loss(status: str, rejection: Rejection | None) -> str | None:
    """A trace that was not taken, and why, for a person."""
    return None if status == "accepted" or not rejection else f"{status}: {str(rejection)[:160]}"


def _uncount(counts: Counter[str], name: str | None) -> None:
    if name is not None:
        counts[name] -= 1
        if not counts[name]:
            del counts[name]
