"""What a run did: counted while it runs, shown as it runs, summed up at its end."""

import time
from collections import Counter
from dataclasses import dataclass, field

from programs.plan import Reply, Spent
from programs.stages.questions import QuestionPool
from programs.tracer import Made
from programs.unit import Unit


@dataclass
class Ledger:
    """Counts of this run. `accepted_before` are the traces of earlier runs; seconds are since the start; `cost` is None
    where prices or tokens are unknown."""

    started: float = field(default_factory=time.monotonic)
    accepted_before: int = 0
    goal: int | None = None
    in_flight: int = 0
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
        self.accepted_before, self.goal = accepted, goal

    def answered(self, stage: str, reply: Reply) -> None:
        """A stage was asked of a model."""
        key = (stage, reply.model)
        self.spent[key] = self.spent.get(key, Spent()) + reply.spent

    def questions(self, pool: QuestionPool) -> None:
        """A text's questions were made."""
        self.questions_taken += len(pool.questions)
        for rejected in pool.rejected:
            self.questions_rejected.update(problem.split(":")[0] for problem in rejected.problems)
        self.questions_rejected.update(question.why for question in pool.dropped)
        self.samples_without_questions += not pool.questions

    def unit(self, unit: Unit) -> None:
        """A unit was decided."""
        self.units[unit.status] += 1
        if unit.status != "accepted" and unit.reason:
            self.reasons[f"{unit.status}: {unit.reason[:160]}"] += 1

    def sample(self, made: Made) -> None:
        """A sample was driven to its end."""
        self.samples_done += 1
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
