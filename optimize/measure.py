"""Measures a program's output for an example and says in words what was wrong with it, by the metrics of a trace or by one
stage's own output. Traces are judged with judge prompts of their own, which no optimizer changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import dspy

from optimize.metrics import METRICS, Score, composite_of
from optimize.recording import Recorder
from optimize.stages import TUNABLE, WRITERS, Asked, stage_score
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.ask import gather_all
from programs.asking.caller import Caller, ReaskRules
from programs.background_loop import run_in_background
from programs.lms.resolve import Model
from programs.records import Record
from programs.stages.grade import GradeStage, grades_of
from programs.stages.judge import JudgeStage, verdict_of
from programs.traces.variation import Attempt, Variation


@dataclass(frozen=True)
class Measured:
    """The composite `score` of an example (value None: nothing could be measured), the `metrics` that it combines, why each
    stage's first try failed (None: it did not), the trace's record, and feedback by predictor."""

    score: Score
    metrics: dict[str, Score] = field(default_factory=dict)
    stages: dict[str, str | None] = field(default_factory=dict)
    record: Record | None = None
    feedback: dict[str, list[str]] = field(default_factory=dict)


Measure = Callable[[dspy.Example, dspy.Prediction], Measured]
"""Scores a program's output for an example. May be called from any thread."""


class OptimizerMetric:
    """A measure in the form that DSPy's optimizers call, from any thread. `score` is a number for every example: one
    without a score counts as `worst`. `feedback` says what was wrong, with one predictor's part or with all."""

    def __init__(self, measure: Measure, worst: float, recorder: Recorder) -> None:
        self._measure, self._worst, self._recorder = measure, worst, recorder

    def __call__(
        self,
        example: dspy.Example,
        prediction: dspy.Prediction,
        trace: object = None,  # noqa: ARG002
        pred_name: str | None = None,
        *_: object,
        **__: object,
    ) -> dspy.Prediction:
        # Keep the judges' calls out of the trace from which DSPy takes demonstrations.
        with self._recorder.guard(), dspy.context(trace=None, adapter=PassageFirstAdapter()):
            measured = self._measure(example, prediction)
        value = measured.score.value
        head = "No score." if value is None else f"Score {value:.2f}."
        lines = [line for name, part in measured.feedback.items() if pred_name in (None, name) for line in part]
        feedback = "\n".join(dict.fromkeys([head, *lines]))
        return dspy.Prediction(score=self._worst if value is None else value, feedback=feedback)


class StageMeasure:
    """Scores one stage by its own output (`optimize.stages.stage_score`), for students that stop there."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def __call__(self, example: dspy.Example, prediction: dspy.Prediction) -> Measured:  # noqa: ARG002
        measured = self._measure(prediction)
        feedback = {stage.predictor: feedback_on(name, measured, prediction) for name, stage in TUNABLE.items()}
        return replace(measured, feedback=feedback)

    def _measure(self, prediction: dspy.Prediction) -> Measured:
        """The stage's score; None if its call was refused, or if an earlier stage failed."""
        asked = prediction.asked.get(self._stage)
        if asked is None or asked.reply.fault == "refused":
            return Measured(Score(None, "an earlier stage failed" if asked is None else asked.reply.problems[-1]))
        return Measured(stage_score(asked, passage_of(prediction)), {}, {self._stage: asked.first_failure})


class TraceMeasure(StageMeasure):
    """Scores the traces of a `Student`, with the `weights` of `optimize.metrics`. `judges` rate each trace, and the first
    of them grades it; without judges, the other metrics are the composite. `rules` are those for asking judges."""

    def __init__(self, weights: Mapping[str, float], judges: Mapping[str, Model], rules: ReaskRules) -> None:
        self._weights, self._judges = weights, sorted(judges) if "judge" in weights else []
        self._graders = [*judges][:1] if "grades" in weights else []
        self._caller = Caller(lambda ask: judges[ask.model or ""], rules, strict=True)
        self._judge, self._grade = JudgeStage(), GradeStage()

    def _measure(self, prediction: dspy.Prediction) -> Measured:
        """The scores of the accepted trace. Without one the score is 0, or None if a server refused a call. It is also None
        if all judges or the grader failed, so that no program gains by silencing them. Raises `BackendError`."""
        stages = {stage: asked.first_failure for stage, asked in prediction.asked.items()}
        variation = next((variation for variation in prediction.variations if variation.accepted), None)
        if variation is None:
            refused = any(failure.reply.fault == "refused" for failure in prediction.failures)
            why = "; ".join(map(str, prediction.failures)) or "no trace was made"
            return Measured(Score(None if refused else 0.0, why), {}, stages)
        record = replace(variation, attempts=[run_in_background(self._attempt(variation))]).record()
        metrics = {name: METRICS[name].of(record) for name in self._weights}
        raters = {"judge": self._judges, "grades": self._graders}
        silent = [name for name, score in metrics.items() if raters.get(name) and score.value is None]
        score = Score(None, f"no {' and no '.join(silent)}") if silent else composite_of(metrics, self._weights)
        return Measured(score, metrics, stages, record)

    async def _attempt(self, variation: Variation) -> Attempt:
        view = (variation.passage, variation.question, variation.last.draft, variation.subject)
        setting = variation.last.plan.setting
        judging = [self._judge.ask(*view, judge, setting) for judge in self._judges]
        grading = [self._grade.ask(*view, grader, setting) for grader in self._graders]
        replies = await gather_all(map(self._caller.answer, [*judging, *grading]))
        verdicts = list(map(verdict_of, judging, replies))
        return replace(variation.last, verdicts=verdicts, grades=grades_of(replies[-1]) if grading else None)


def passage_of(prediction: dspy.Prediction) -> str:
    """The passage as the stages see it, from the questions: a closed thought is written without it."""
    return str(prediction.asked["questions"].ask.inputs["passage"])


def feedback_on(stage: str, measured: Measured, prediction: dspy.Prediction) -> list[str]:
    """Feedback on a stage, one line each."""
    asked: Asked | None = prediction.asked.get(stage)
    if asked is None:
        return [f"The {stage} stage was not reached: {measured.score.reason}"]
    lines = [f"A try was not taken: {problem}" for rejected in asked.reply.rejected for problem in rejected.problems]
    lines += [f"It gave nothing to go on with: {problem}" for problem in asked.reply.problems]
    if stage == "evidence" and asked.reply.status == "ok":
        lines += [f"The passage has no sentence {number}." for number in dict.fromkeys(asked.missing_sentences)]
    if stage not in WRITERS or not measured.metrics:
        lines.append(stage_score(asked, passage_of(prediction)).reason)
    scores = [(name, *measured.metrics[name]) for name in WRITERS.get(stage, ()) if name in measured.metrics]
    lines += [f"{name} {value:.2f}: {why}" for name, value, why in scores if value is not None and why]
    return lines or [measured.score.reason]
