"""Measures what a program made of an example, and says in words what was wrong with it. Traces are judged with prompts of
their own, which no optimizer changes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import dspy

from optimize.metrics import METRICS, Score, composite_of
from optimize.stages import TUNABLE
from programs.asking.ask import gather_all
from programs.asking.caller import Caller, ReaskRules
from programs.asking.reply import Reply
from programs.lms.engine import Shared
from programs.lms.resolve import Model
from programs.stages.grade import GradeStage, grades_of
from programs.stages.judge import JudgeStage, verdict_of
from programs.tracer import SampleOutcome
from programs.traces.variation import Attempt, Variation


@dataclass(frozen=True)
class Measured:
    """The composite `score` of an example (value None: nothing could be measured), the `metrics` that it combines (none if
    no trace was made), why each stage's first try failed (None: it did not), and feedback by predictor."""

    score: Score
    metrics: dict[str, Score] = field(default_factory=dict)
    stages: dict[str, str | None] = field(default_factory=dict)
    feedback: dict[str, list[str]] = field(default_factory=dict)


def optimizer_metric(worst: float) -> Callable[..., dspy.Prediction]:
    """The metric that DSPy's optimizers call for predictions of a `Tunable`. `score` is a number for every example: one
    without a score counts as `worst`. `feedback` says what was wrong, with one predictor's part or with all."""

    def metric(
        _example: dspy.Example,
        prediction: dspy.Prediction,
        _trace: object = None,
        pred_name: str | None = None,
        *_: object,
        **__: object,
    ) -> dspy.Prediction:
        measured: Measured = prediction.measured
        value = measured.score.value
        head = "No score." if value is None else f"Score {value:.2f}."
        lines = [line for name, part in measured.feedback.items() if pred_name in (None, name) for line in part]
        feedback = "\n".join(dict.fromkeys([head, *lines]))
        return dspy.Prediction(score=worst if value is None else value, feedback=feedback)

    return metric


class TraceMeasure(Shared):
    """Measures what became of a text, with the `weights` of `optimize.metrics`. `judges` rate the trace, and the first of
    them grades it; without judges, the other metrics are the composite. `rules` are those for asking judges."""

    def __init__(self, weights: Mapping[str, float], judges: Mapping[str, Model], rules: ReaskRules) -> None:
        self._weights, self._judges = weights, sorted(judges) if "judge" in weights else []
        self._graders = [*judges][:1] if "grades" in weights else []
        self._caller = Caller(lambda ask: judges[ask.model or ""], rules, strict=True)
        self._judge, self._grade = JudgeStage(), GradeStage()

    async def measure(self, outcome: SampleOutcome, replies: Mapping[str, Reply]) -> Measured:
        """Measures the accepted trace; `replies` are those of the stages. Without a trace the score is 0, or None if a
        server refused a call. It is also None if all judges or the grader failed, so that no program gains by silencing
        them. Raises `BackendError`."""
        variation = next((variation for variation in outcome.variations if variation.accepted), None)
        metrics: dict[str, Score] = {}
        if variation is None:
            failures = [*filter(None, [outcome.failure, *(each.failure for each in outcome.variations)])]
            refused = any(failure.reply.fault == "refused" for failure in failures)
            score = Score(None if refused else 0.0, "; ".join(map(str, failures)) or "no trace was made")
        else:
            record = replace(variation, attempts=[await self._judged(variation)]).record()
            # In a thread, since `lift` runs a model.
            found = await asyncio.to_thread(lambda: [METRICS[name].of(record) for name in self._weights])
            metrics = dict(zip(self._weights, found, strict=True))
            raters = {"judge": self._judges, "grades": self._graders}
            silent = [name for name, given in metrics.items() if raters.get(name) and given.value is None]
            score = Score(None, f"no {' and no '.join(silent)}") if silent else composite_of(metrics, self._weights)
        stages = {stage: first_failure(reply) for stage, reply in replies.items()}
        feedback = {
            stage.predictor: feedback_on(name, replies.get(name), score, metrics) for name, stage in TUNABLE.items()
        }
        return Measured(score, metrics, stages, feedback)

    async def _judged(self, variation: Variation) -> Attempt:
        view = (variation.passage, variation.question, variation.last.draft, variation.subject)
        setting = variation.last.plan.setting
        judging = [self._judge.ask(*view, judge, setting) for judge in self._judges]
        grading = [self._grade.ask(*view, grader, setting) for grader in self._graders]
        replies = await gather_all(map(self._caller.answer, [*judging, *grading]))
        verdicts = list(map(verdict_of, judging, replies))
        return replace(variation.last, verdicts=verdicts, grades=grades_of(replies[-1]) if grading else None)


def first_failure(reply: Reply) -> str | None:
    """Why a stage's first try failed (it is missing, truncated, unreadable or rejected by the check), or None."""
    if reply.rejected:
        return "; ".join(reply.rejected[0].problems)
    return None if reply.status == "ok" else "; ".join(reply.problems) or reply.status


def feedback_on(stage: str, reply: Reply | None, score: Score, metrics: Mapping[str, Score]) -> list[str]:
    """Feedback on a stage, one line each: why its tries were rejected, and what is said of the trace that came of it."""
    if reply is None:
        return [f"The {stage} stage was not reached: {score.reason}"]
    lines = [f"A try was not taken: {problem}" for rejected in reply.rejected for problem in rejected.problems]
    lines += [f"It gave nothing to go on with: {problem}" for problem in reply.problems]
    lines += [f"{name} {value:.2f}: {why}" for name, (value, why) in metrics.items() if value is not None and why]
    return lines or [score.reason]
