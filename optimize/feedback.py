"""What was wrong with the output of one predictor, in words: what reflective optimizers (GEPA) learn from."""

import dspy

from optimize.measure import Measured, OptimizerMetric
from optimize.stage_score import missing_sentences, stage_score
from optimize.stages import STAGES, WRITERS, stage_of
from optimize.student import Asked

OF_STAGE: dict[str, tuple[str, ...]] = {
    "trace": ("judge",),
    "answer": ("judge", "grades", "on_topic"),
}
"""The metrics whose reasons say something about a writer's own output; the stages before them have a score of their own.
What else the finished trace is measured by, the stages' checks have seen to."""


class Feedback:
    """A `FeedbackMetric` over an `OptimizerMetric`."""

    def __init__(self, metric: OptimizerMetric) -> None:
        self._metric = metric

    def __call__(
        self,
        gold: dspy.Example,  # noqa: ARG002 - DSPy names and gives them all
        pred: dspy.Prediction,
        trace: object = None,  # noqa: ARG002
        pred_name: str | None = None,
        pred_trace: object = None,  # noqa: ARG002
    ) -> dspy.Prediction:
        measured = self._metric.measure.measured(pred)
        stages = list(STAGES) if pred_name is None else [stage_of(pred_name)]
        said = [line for stage in stages for line in feedback_on(stage, measured, pred)]
        score = self._metric.number(measured.score)
        head = "No score." if measured.score.value is None else f"Score {score:.2f}."
        return dspy.Prediction(score=score, feedback="\n".join([head, *dict.fromkeys(said)]))


def feedback_on(stage: str, measured: Measured, prediction: dspy.Prediction) -> list[str]:
    """What there is to say about a stage, a line each."""
    asked: Asked | None = prediction.asked.get(stage)
    if asked is None:
        return [f"The {stage} stage was not reached: {measured.score.reason}"]
    lines = [f"A try was not taken: {problem}" for tried in asked.reply.rejected for problem in tried.problems]
    lines += [f"It gave nothing to go on with: {problem}" for problem in asked.reply.problems]
    if stage == "questions" and prediction.pool is not None:
        lines += [
            f"The {question.type.value} question was not taken: {'; '.join(question.problems)}"
            for question in prediction.pool.rejected
        ]
    if stage == "evidence" and asked.reply.status == "ok":
        lines += [f"The passage has no sentence {number}." for number in dict.fromkeys(missing_sentences(asked))]
    if stage not in WRITERS:
        lines.append(stage_score(asked, str(asked.ask.inputs["passage"]), prediction.pool).reason)
    for name in OF_STAGE.get(stage, ()):
        score = measured.metrics.get(name)
        if score is not None and score.value is not None and score.reason:
            lines.append(f"{name} {score.value:.2f}: {score.reason}")
    return lines or [measured.score.reason]
