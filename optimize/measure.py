"""Measuring what a program made of an example: the metrics of a trace, with judges and a grader where they are asked for.

The judges here are models of their own with prompts of their own: nothing that an optimizer changes is asked to judge.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import dspy

from optimize.metrics import METRICS, Score, combined
from optimize.stage_score import first_failure, stage_score
from programs.asking.calling import Caller
from programs.asking.tries import TryRules
from programs.lms.resolve import Model
from programs.records import Record
from programs.stages.grade import GradeStage, grades_of
from programs.stages.judge import JudgeStage, verdict_of
from programs.units.unit import Attempt, Unit


@dataclass(frozen=True)
class Measured:
    """The composite score of an example (None: nothing could be measured), the metrics it is made of, why each stage
    failed at its first try (None: it did not), and the trace."""

    score: Score
    metrics: dict[str, Score] = field(default_factory=dict)
    stages: dict[str, str | None] = field(default_factory=dict)
    record: Record | None = None


class Measure:
    """Scores the traces of a `Student`. `weights` are those of `optimize.metrics`; without judges or a grader their
    metrics have no score and the others share the whole. `rules` are those by which judges and grader are asked. Safe to
    use from several threads."""

    def __init__(
        self,
        weights: Mapping[str, float],
        judges: Mapping[str, Model] | None = None,
        grader: Model | None = None,
        rules: TryRules | None = None,
    ) -> None:
        self.weights = dict(weights)
        self._judges = dict(judges or {}) if "judge" in weights else {}
        self._grader = grader if "grades" in weights else None
        self._rules = rules
        self._judge, self._grade = JudgeStage(), GradeStage()

    @property
    def calls(self) -> int:
        """How many calls judge and grade one trace."""
        return len(self._judges) + (self._grader is not None)

    def measured(self, prediction: dspy.Prediction) -> Measured:
        """A trace's scores; a program that gave none scores 0. Raises `BackendError` when a judge cannot be reached."""
        stages = {stage: first_failure(asked) for stage, asked in prediction.asked.items()}
        unit = next((unit for unit in prediction.units if unit.status == "accepted"), None)
        if unit is None:
            why = "; ".join(map(str, prediction.failures)) or "no trace was made"
            return Measured(Score(0.0, why), {"form": Score(0.0, why)} if "form" in self.weights else {}, stages)
        # What judges say must not enter the trace that DSPy takes demonstrations from.
        with dspy.context(trace=None):
            record = replace(unit, attempts=[self._attempt(unit)]).record()
        metrics = {name: METRICS[name](record) for name in self.weights}
        return Measured(combined(metrics, self.weights), metrics, stages, record)

    def _attempt(self, unit: Unit) -> Attempt:
        attempt = unit.attempts[-1]
        name = f"{unit.key}.{attempt.spot.attempt}"
        asks = [
            self._judge.ask(unit.passage, unit.question, attempt.draft, name, judge) for judge in sorted(self._judges)
        ]
        caller = Caller(lambda ask: self._judges[ask.judge or ""], self._rules, strict=True)
        verdicts = [verdict_of(ask, caller.answer(ask)) for ask in asks]
        if self._grader is None:
            return replace(attempt, verdicts=verdicts)
        grader = self._grader
        ask = self._grade.ask(unit.passage, unit.question, attempt.draft, name, grader.name)
        reply = Caller(lambda _: grader, self._rules, strict=True).answer(ask)
        return replace(attempt, verdicts=verdicts, grades=grades_of(reply), grade_reply=reply)


class StageMeasure(Measure):
    """Scores one stage by its own output (`optimize.stage_score`), for students that stop there."""

    def __init__(self, stage: str) -> None:
        super().__init__({})
        self._stage = stage

    def measured(self, prediction: dspy.Prediction) -> Measured:
        """The stage's score; None where the stage was not reached, since an earlier one failed."""
        asked = prediction.asked.get(self._stage)
        if asked is None:
            return Measured(Score(None, "an earlier stage failed"))
        score = stage_score(asked, str(asked.ask.inputs["passage"]), prediction.pool)
        return Measured(score, {}, {self._stage: first_failure(asked)})


class Numbers:
    """Scores as the numbers that DSPy needs for every example; `unscored` counts those that were none."""

    def __init__(self) -> None:
        self.unscored = 0
        self._sum, self._count = 0.0, 0
        self._lock = threading.Lock()

    def number(self, score: Score) -> float:
        """The score, or the mean of those so far where there is none."""
        with self._lock:
            if score.value is None:
                self.unscored += 1
                return self._sum / self._count if self._count else 0.0
            self._sum += score.value
            self._count += 1
            return score.value


class OptimizerMetric(Numbers):
    """A measure as DSPy's optimizers call it: a number for every example (see `optimize.job.ExampleMetric`)."""

    def __init__(self, measure: Measure) -> None:
        super().__init__()
        self.measure = measure

    def __call__(
        self,
        example: dspy.Example,  # noqa: ARG002 - DSPy gives it
        prediction: dspy.Prediction,
        trace: object = None,  # noqa: ARG002
    ) -> float:
        return self.number(self.measure.measured(prediction).score)
