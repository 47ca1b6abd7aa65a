"""The part of the program that optimizers may change: the stages that write. Judges and graders stay as they are, since
an optimizer that could rewrite its own judge would learn to flatter itself."""

from typing import Any

import dspy

from programs.calling import Caller
from programs.inputs.sample import sample_of
from programs.plan import StageFailed, drive
from programs.tracer import Tracer, Wishes
from programs.tries import TryRules


class Student(dspy.Module):
    """Makes one trace of a text with the LM and the adapter that DSPy is configured with.

    Its predictors have the names that they have in the `Tracer` (`questions.predict`, `strands.context`, ...).
    A stage that gives nothing is an outcome, not an error: the prediction then has no record.
    """

    def __init__(self, tracer: Tracer, rules: TryRules | None = None) -> None:
        super().__init__()
        self.questions = tracer.questions
        self.strands = tracer.strands
        self.writer = tracer.writer
        self._rules = rules or TryRules()

    def forward(self, text: str, title: str | None = None, domain: str | None = None, **_: Any) -> dspy.Prediction:
        """Gives a Prediction with `units` (a list of `Unit`, empty without questions), `pool` and `failures` (a list of
        `StageFailed`). Raises `BackendError` when the model cannot be reached or refuses."""
        tracer = Tracer(self.questions, self.strands, self.writer)
        made = drive(tracer.plan(sample_of(text, title=title, domain=domain), Wishes()), Caller(rules=self._rules).answer)
        failures = [made.failure] if made.failure else [unit.failure for unit in made.units if unit.failure]
        return dspy.Prediction(units=made.units, pool=made.pool, failures=failures)
