"""What a run does beyond writing traces, each only where it is asked for: own thoughts, blind solving, step checks.

Their predictors are no part of the `Tracer`: a compiled program holds the stages that every run asks.
"""

from dataclasses import dataclass

from programs.asking.ask import Answering
from programs.passage import Passage
from programs.settings import Settings
from programs.stages.questions import Question
from programs.traces.blind_solve import BlindSolver, SolveRules
from programs.traces.own_thoughts import OwnRules, OwnThinker
from programs.traces.step_checker import StepChecker
from programs.traces.unit import Unit
from signatures.vocabulary import ThoughtOrigin


@dataclass(frozen=True)
class Extras:
    """Who thinks for itself, and what looks at accepted traces; None: not asked for."""

    own: OwnThinker | None = None
    blind: BlindSolver | None = None
    checker: StepChecker | None = None

    @property
    def thoughts(self) -> tuple[ThoughtOrigin, ...]:
        """The traces that each variation of a question gives."""
        return ("written",) if self.own is None else self.own.rules.thoughts

    @property
    def by_question(self) -> bool:
        """Whether what becomes of a variation hangs on the question's others: they are then decided together."""
        return self.blind is not None

    @property
    def basis(self) -> list[str]:
        """The rules by which units are decided, as far as they are more than every run's."""
        solving = None if self.blind is None else self.blind.rules
        own = None if self.own is None else self.own.rules
        return [rules.basis for rules in (own, solving, self.checker) if rules is not None]

    async def after(self, passage: Passage, question: Question, units: list[Unit], answer: Answering) -> None:
        """What follows once a question's units are decided."""
        if self.blind is not None:
            await self.blind.solve(passage, question, units, answer)
        if self.checker is not None:
            await self.checker.check(passage, units, answer)


def extras_of(settings: Settings) -> Extras:
    """What the settings ask for."""
    rules = (
        SolveRules(settings.blind_solve, settings.solver, settings.comparer, tuple(settings.keep))
        if settings.blind_solve
        else None
    )
    own = (
        None
        if settings.thought == "written"
        else OwnRules(settings.tries, settings.comparer, settings.thought == "both")
    )
    return Extras(
        own=OwnThinker(own) if own else None,
        blind=BlindSolver(rules) if rules else None,
        checker=StepChecker(settings.checker) if settings.checker else None,
    )
