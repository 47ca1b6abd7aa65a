"""Invariants of `optimize.measure`.

1. If all judges or the grader fail, there is no composite score, so that no program gains by silencing them. A program
   without a trace scores 0, with the reason; a call that a server refused gives no score.
2. Judges and the grader are asked by the given rules.
3. If a judge cannot be reached or rejects all calls, the error is raised.
4. An example without a score counts as the given worst score.
5. A first try fails if it is unreadable, truncated or rejected by its check.
6. Feedback says what is wrong with one predictor's output, or with all: why a try was rejected, a phrase that refers to the
   source, and what each metric says of the trace, such as a judge's criticism or a sentence that the passage does not have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dspy
import pytest

from optimize.measure import Measured, TraceMeasure, first_failure, optimizer_metric
from optimize.metrics import Score, parse_weights
from optimize.stages import TUNABLE
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.ask import Ask
from programs.asking.caller import ReaskRules
from programs.asking.reply import RejectedTry, Reply
from programs.background_loop import run_in_background
from programs.errors import AccessDenied, BackendError
from programs.lms.resolve import resolve
from programs.record_parts import GRADES, Verdict
from programs.settings import TracerOptions
from tests.builders import VERDICT, Answers, good_output, reply_to, sample, tracer, unread_reply
from tests.lms.asking import NO_RETRIES
from tests.standin.faults import FaultPlan
from tests.standin.scientist import UNREADABLE, AnswerFunction, Scientist
from tests.standin.server import StandIn

WEIGHTS = parse_weights("composite")
RULES = ReaskRules()
UNREADABLE_JUDGES: dict[str, AnswerFunction] = dict.fromkeys(("judge", "grade"), lambda _: UNREADABLE)
GRADING: dict[str, Any] = {"reason": "Good enough.", **dict.fromkeys(GRADES, 80)}


def measured_by(measure: TraceMeasure, answers: Answers | None = None) -> Measured:
    """What is measured of a text with these answers of its stages."""
    answers, replies = answers or Answers(), dict[str, Reply]()

    async def answer(ask: Ask) -> Reply:
        replies[ask.stage] = answers.reply(ask)
        return replies[ask.stage]

    async def measured() -> Measured:
        return await measure.measure(await tracer().generate(sample(), TracerOptions(), answer), replies)

    return run_in_background(measured())


@contextmanager
def trace_measure(
    weights: dict[str, float] = WEIGHTS,
    rules: ReaskRules = RULES,
    stages: dict[str, AnswerFunction] | None = None,
    **server: Any,
) -> Iterator[tuple[TraceMeasure, StandIn]]:
    """Yields a measure with two judges, of which the first also grades, and their server."""
    brain = Scientist({"judge": lambda _: {**VERDICT, "overall": 10}, "grade": lambda _: GRADING, **(stages or {})})
    with StandIn(brain, **server) as standin:
        options: dict[str, Any] = {"api_base": standin.openai_base, "retry": NO_RETRIES, "timeout": 5.0, "env": {}}
        models = {name: resolve(name, **options) for name in ("openai/a", "openai/b")}
        with dspy.context(adapter=PassageFirstAdapter()):
            yield TraceMeasure(weights, models, rules), standin
        for model in models.values():
            model.close()


def test_1_the_composite_combines_judges_grades_and_rules() -> None:
    with trace_measure() as (measure, _):
        found = measured_by(measure)
    assert list(found.metrics) == list(WEIGHTS)
    assert (found.metrics["judge"].value, found.metrics["grades"].value) == (1.0, 0.8)
    assert found.score.value == pytest.approx(sum(WEIGHTS[name] * (found.metrics[name].value or 0) for name in WEIGHTS))


def test_1_if_all_judges_fail_there_is_no_score() -> None:
    with trace_measure(stages=UNREADABLE_JUDGES) as (measure, _):
        measured = measured_by(measure)
    assert (measured.metrics["judge"].value, measured.metrics["grades"].value) == (None, None)
    assert measured.score.value is None
    assert "no judge and no grades" in measured.score.reason
    with trace_measure(weights={"judge": 1.0}, stages=UNREADABLE_JUDGES) as (measure, _):
        assert measured_by(measure).score.value is None


@pytest.mark.parametrize("stage", ["questions", "critique", "answer"])
def test_1_a_refused_call_gives_no_score(stage: str) -> None:
    refused = unread_reply("HTTP 400: not this").model_copy(update={"fault": "refused"})
    assert measured_by(TraceMeasure(WEIGHTS, {}, RULES), Answers(**{stage: lambda _: refused})).score.value is None


@pytest.mark.parametrize("stage", ["questions", "context", "critique", "trace", "answer"])
def test_1_and_6_a_failed_stage_scores_0_with_the_reason(stage: str) -> None:
    with trace_measure() as (measure, server):
        measured = measured_by(measure, Answers(**{stage: lambda _: unread_reply("no JSON")}))
    assert measured.score.value == 0.0
    assert f"{stage}: no JSON" in measured.score.reason
    assert "no JSON" in " ".join(measured.feedback[TUNABLE["answer"].predictor]), "says why it was not reached"
    assert (measured.metrics, measured.stages[stage]) == ({}, "no JSON")
    assert not server.calls


def test_2_judges_are_asked_by_the_rules() -> None:
    rules = ReaskRules(max_tries=2, seed=5, max_tokens=333)
    with trace_measure(rules=rules, stages=UNREADABLE_JUDGES) as (measure, server):
        measured_by(measure)
    assert {body["max_tokens"] for body in server.bodies} == {333}
    assert len(server.bodies) == 3 * rules.max_tries


@pytest.mark.parametrize(
    ("fault", "error", "metric"),
    [("500", BackendError, "judge"), ("reset", BackendError, "grades"), ("401", AccessDenied, "judge")],
)
def test_3_the_error_of_a_judge_is_raised(fault: str, error: type[BackendError], metric: str) -> None:
    faults = FaultPlan(rate=1.0, kinds=[fault])
    with trace_measure(weights={metric: 1.0}, faults=faults) as (measure, _), pytest.raises(error):
        measured_by(measure)


def test_4_a_missing_score_counts_as_the_worst() -> None:
    metric, feedback = optimizer_metric(0.3), {"a": ["told"], "b": ["other"]}

    def result(score: float | None, name: str | None) -> dspy.Prediction:
        measured = Measured(Score(score, ""), feedback=feedback)
        return metric(dspy.Example(), dspy.Prediction(measured=measured), pred_name=name)

    results = [result(None, "a"), result(0.2, None), result(1.0, "b")]
    assert [each.score for each in results] == [0.3, 0.2, 1.0]
    assert [each.feedback for each in results] == ["No score.\ntold", "Score 0.20.\ntold\nother", "Score 1.00.\nother"]


@pytest.mark.parametrize("status", ["unread", "unusable", "ok"])
def test_5_the_first_try_decides(status: Any) -> None:
    rejected = [RejectedTry(problems=["no JSON", "cut off"]), RejectedTry(problems=["too long"])]
    assert first_failure(Reply(status=status)) == (None if status == "ok" else status)
    assert first_failure(Reply(status=status, rejected=rejected)) == "no JSON; cut off"


CRITICISM = "The calibration is asserted without a number."
SOURCE_QUESTION = "What does the paper conclude about the calibration of its lamps?"


class JudgedMeasure(TraceMeasure):
    """A measure that adds the same verdict to every trace, without a model."""

    async def _judged(self, variation: Any) -> Any:
        attempt = await super()._judged(variation)
        attempt.verdicts.append(Verdict(judge="j", scored=True, overall=4, fault=CRITICISM))
        return attempt


def evidence(_: Any) -> Any:
    return {"items": [{"sentence": n, "claim": f"States number {n}."} for n in (1, 9)]}


def questions(ask: Any) -> Reply:
    rejected = reply_to(ask, {**good_output(ask), "question": SOURCE_QUESTION})
    return reply_to(ask, good_output(ask)).model_copy(update={"rejected": [RejectedTry(problems=rejected.problems)]})


OFF_TOPIC = {"text": "Bananas ripen faster beside apples because ethylene spreads between them overnight."}
FAULTY_ANSWERS = {"evidence": evidence, "questions": questions, "answer": lambda _: OFF_TOPIC}

OF_TRIES = {"questions": 'A try was not taken: refers to its source: "the paper"'}
OF_THE_TRACE = ("there is no sentence 9", "ethylene", f"judge 0.33: Fault: {CRITICISM}")


@pytest.mark.parametrize("stage", [*TUNABLE, None])
def test_6_feedback_is_on_one_predictor_or_on_all(stage: str | None) -> None:
    measured = measured_by(JudgedMeasure(WEIGHTS, {}, RULES), Answers(**FAULTY_ANSWERS))
    name = None if stage is None else TUNABLE[stage].predictor
    text = optimizer_metric(0.0)(dspy.Example(), dspy.Prediction(measured=measured), None, name).feedback
    assert [name for name, phrase in OF_TRIES.items() if phrase in text] == [n for n in OF_TRIES if stage in (n, None)]
    assert all(phrase in text for phrase in OF_THE_TRACE)
