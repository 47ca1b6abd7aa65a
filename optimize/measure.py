"""Measuring what a program made of an example: the metrics of a trace, with judges and a grader where they are asked for.

The judges here are models of their own with prompts of their own: nothing that an optimizer changes is asked to judge.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import dspy

from optimize.metrics import METRICS, Score, combined
from optimize.stage_score import first_failure, stage_score
from programs.asking.ask import together
from programs.asking.caller import Caller, TryRules
from programs.background_loop import run
from programs.lms.resolve import Model
from programs.records import Record
from programs.stages.grade import GradeStage, grades_of
from programs.stages.judge import JudgeStage, verdict_of
from programs.traces.variation import Attempt, Variation


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
        """A trace's scores. A program that gave none scores 0, but where a server refused a call nothing was measured;
        neither was it where a judge or the grader, asked, gave nothing: a program must not gain by silencing them.
        Raises `BackendError` when a judge cannot be reached."""
        stages = {stage: first_failure(asked) for stage, asked in prediction.asked.items()}
        variation = next((one for one in prediction.variations if one.accepted), None)
        if variation is None:
            why = "; ".join(map(str, prediction.failures)) or "no trace was made"
            if any(failure.reply.fault == "refused" for failure in prediction.failures):
                return Measured(Score(None, why), {}, stages)
            return Measured(Score(0.0, why), {"form": Score(0.0, why)} if "form" in self.weights else {}, stages)
        # What judges say must not enter the trace that DSPy takes demonstrations from.
        with dspy.context(trace=None):
            record = replace(variation, attempts=[run(self._attempt(variation))]).record()
        metrics = {name: METRICS[name](record) for name in self.weights}
        asked = {"judge": bool(self._judges), "grades": self._grader is not None}
        silent = [name for name, score in metrics.items() if asked.get(name) and score.value is None]
        score = Score(None, f"no {' and no '.join(silent)}") if silent else combined(metrics, self.weights)
        return Measured(score, metrics, stages, record)

    async def _attempt(self, variation: Variation) -> Attempt:
        attempt, name = variation.last, variation.name
        asks = [
            self._judge.ask(variation.passage, variation.question, attempt.draft, name, judge)
            for judge in sorted(self._judges)
        ]
        caller = Caller(lambda ask: self._judges[ask.judge or ""], self._rules, strict=True)
        replies = await together(caller.answer(ask) for ask in asks)
        verdicts = list(map(verdict_of, asks, replies))
        if self._grader is None:
            return replace(attempt, verdicts=verdicts)
        grader = self._grader
        ask = self._grade.ask(variation.passage, variation.question, attempt.draft, name, grader.name)
        reply = await Caller(lambda _: grader, self._rules, strict=True).answer(ask)
        return replace(attempt, verdicts=verdicts, grades=grades_of(reply))


class StageMeasure:
    """Scores one stage by its own output (`optimize.stage_score`), for students that stop there."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def measured(self, prediction: dspy.Prediction) -> Measured:
        """The stage's score; None where the stage was not reached, since an earlier one failed, or its call refused."""
        asked = prediction.asked.get(self._stage)
        if asked is None or asked.reply.fault == "refused":
            return Measured(Score(None, "an earlier stage failed" if asked is None else asked.reply.problems[-1]))
        score = stage_score(asked, str(asked.ask.inputs["passage"]), prediction.pool)
        return Measured(score, {}, {self._stage: first_failure(asked)})


class Numbers:
    """Scores as the numbers that DSPy needs for every example. What has no score counts as `worst`: a candidate must not
    gain by what cannot be measured. `unscored` counts these."""

    def __init__(self, worst: float) -> None:
        self.unscored = 0
        self._worst = worst
        self._lock = threading.Lock()

    def number(self, score: Score) -> float:
        """The score, or the worst where there is none."""
        if score.value is not None:
            return score.value
        with self._lock:
            self.unscored += 1
        return self._worst


class Measuring(Protocol):
    """What scores a prediction of a `Student`."""

    def measured(self, prediction: dspy.Prediction) -> Measured: ...


class OptimizerMetric(Numbers):
    """A measure as DSPy's optimizers call it: a number for every example (see `optimize.job.ExampleMetric`)."""

    def __init__(self, measure: Measuring, worst: float) -> None:
        super().__init__(worst)
        self.measure = measure

    def __call__(
        self,
        example: dspy.Example,  # noqa: ARG002 - DSPy gives it
        prediction: dspy.Prediction,
        trace: object = None,  # noqa: ARG002
    ) -> float:
        return self.number(self.measure.measured(prediction).score)
