"""What a run did: counted while it runs, shown as it runs, summed up at its end."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from programs.asking.plan import Ask, Reply, Spent
from programs.journals.tally import reason_of
from programs.progress.estimate import Snapshot
from programs.progress.trouble import Trouble
from programs.progress.work import Work
from programs.stages.questions import QuestionPool
from programs.tracer import Made
from programs.units.unit import Unit


@dataclass(frozen=True)
class Around:
    """What a run is held to and what goes on around it, as far as it is to be shown: how many calls may be in flight, how
    many texts are still to come (None: nobody knows) and how many of those earlier runs began, what was spent so far (None:
    unknown), and why no new call starts any more (None: they do)."""

    capacity: Callable[[], int] = lambda: 1
    lanes: bool = False
    to_begin: Callable[[], float | None] = lambda: None
    known: int = 0
    cost: Callable[[], float | None] = lambda: None
    stopping: Callable[[], str | None] = lambda: None


class Decided(NamedTuple):
    """What a unit was: its status and reason, and whether it was decided in this run."""

    status: str
    reason: str | None
    now: bool


@dataclass
class Ledger:
    """Counts of this run. `accepted_before` are the traces of earlier runs, `units` by status those that this run decided,
    each by its last decision ("accepted": how many more there are than before); seconds are since the start; `cost` is
    None where prices or tokens are unknown, and `room` is how many more texts may be begun, None for any number."""

    started: float = field(default_factory=time.monotonic)
    work: Work = field(default_factory=Work)
    trouble: Trouble = field(default_factory=Trouble)
    around: Around = field(default_factory=Around)
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

    def answered(self, ask: Ask, reply: Reply, seconds: float) -> None:
        """A stage was asked of a model, which took so many seconds at its place."""
        key = (ask.account, reply.model)
        self.spent[key] = self.spent.get(key, Spent()) + reply.spent
        self.work.asked(ask, seconds)

    def replayed(self, ask: Ask) -> None:
        """A stage was answered from the journal."""
        self.reused += 1
        self.work.replayed(ask)

    def questions(self, pool: QuestionPool) -> None:
        """A text's questions were made. Each rejected one counts once, for its first reason, as in the funnel."""
        self.questions_taken += len(pool.questions)
        self.questions_rejected.update(reason_of(rejected.problems) for rejected in pool.rejected)
        self.questions_rejected.update(question.why for question in pool.dropped)
        self.samples_without_questions += not pool.questions

    def unit(self, unit: Unit, before: Decided | None = None) -> None:
        """A unit was decided, or decided again: what it was `before` no longer counts."""
        if before is not None:
            if before.now or before.status == "accepted":
                _uncount(self.units, before.status)
            if before.now:
                _uncount(self.reasons, _loss(before.status, before.reason))
        self.units[unit.status] += 1
        if loss := _loss(unit.status, unit.reason):
            self.reasons[loss] += 1

    def sample(self, sample: str, made: Made) -> None:
        """A sample was driven to its end."""
        self.samples_done += 1
        self.work.finishes(sample, sum(unit.status == "accepted" for unit in made.units))
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
        around, spent, to_begin = self.around, self.total, self.around.to_begin()
        if self.room is not None:
            most = self.room + max(0, around.known - self.work.known_begun)
            to_begin = most if to_begin is None else min(to_begin, most)
        tokens = None
        if spent.prompt_tokens is not None and spent.completion_tokens is not None:
            tokens = spent.prompt_tokens + spent.completion_tokens
        return self.work.snapshot(
            capacity=around.capacity(),
            lanes=around.lanes,
            to_begin=to_begin,
            known_to_begin=around.known,
            accepted=self.units["accepted"],
            wanted=None if self.goal is None else self.goal - self.accepted_before,
            calls=spent.calls,
            tokens=tokens,
            cost=around.cost(),
        )


def _loss(status: str, reason: str | None) -> str | None:
    """A trace that was not taken, and why, for a person."""
    return None if status == "accepted" or not reason else f"{status}: {reason[:160]}"


def _uncount(counts: Counter[str], name: str | None) -> None:
    if name is not None:
        counts[name] -= 1
        if not counts[name]:
            del counts[name]
