"""What a run does beyond making traces, each only where it is asked for: seeded errors, blind solving, step checks, causal
checks.

Their predictors are no part of the `Tracer`: a compiled program holds the stages that every run asks.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from programs.asking.plan import Plan
from programs.extras.blind_solve import BlindSolver, SolveRules
from programs.extras.causal import CausalRules, Remake
from programs.extras.step_checker import StepChecker
from programs.passage import Passage
from programs.settings import Settings
from programs.stages.questions import Question
from programs.stages.seeded import MARK, SeededStages
from programs.units.unit import Unit

SEEDED = "with seeded errors"
"""How the basis of traces says that they were given a wrong step."""


@dataclass(frozen=True)
class Extras:
    """None: not asked for. `seeded` takes the place of the trace's stage, the others look at accepted traces."""

    seeded: SeededStages | None = None
    blind: BlindSolver | None = None
    checker: StepChecker | None = None
    causal: CausalRules | None = None

    @property
    def mark(self) -> str:
        """What tells drafts apart that are made in another way."""
        return "" if self.seeded is None else MARK

    @property
    def by_question(self) -> bool:
        """Whether what becomes of a variation hangs on the question's others: they are then decided together."""
        return self.blind is not None

    @property
    def basis(self) -> list[str]:
        """The rules by which units are decided, as far as they are more than every run's."""
        solving = None if self.blind is None else self.blind.rules
        seeded = [] if self.seeded is None else [SEEDED]
        return seeded + [rules.basis for rules in (solving, self.checker, self.causal) if rules is not None]

    def likens(self, basis: str) -> bool:
        """Whether traces that were decided by these rules were made as these are: with a seeded error, or without."""
        return (SEEDED in basis.split("; ")) == (self.seeded is not None)

    def after(self, passage: Passage, question: Question, units: list[Unit], remake: Remake) -> Plan[None]:
        """What follows once a question's units are decided."""
        steps: list[Generator[Any, Any, None]] = []
        if self.blind is not None:
            steps.append(self.blind.plan(passage, question, units))
        if self.checker is not None:
            steps.append(self.checker.plan(passage, units))
        if self.causal is not None:
            steps.append(self.causal.plan(passage, question, units, remake))
        for step in steps:
            yield from step


def extras_of(settings: Settings) -> Extras:
    """What the settings ask for."""
    rules = (
        SolveRules(settings.blind_solve, settings.solver, settings.comparer, tuple(settings.keep))
        if settings.blind_solve
        else None
    )
    return Extras(
        seeded=SeededStages(settings.seed) if settings.seed_error else None,
        blind=BlindSolver(rules) if rules else None,
        checker=StepChecker(settings.checker) if settings.checker else None,
        causal=CausalRules(settings.causal_check, settings.seed) if settings.causal_check else None,
    )
