"""Invariants of `optimize.measure`.

1. If all judges or the grader fail, there is no composite score, so that no program gains by silencing them. A program
   without a trace scores 0, with the reason; a call that a server refused gives no score.
2. Judge calls never enter the trace from which DSPy makes demonstrations.
3. Judges and the grader are asked by the given rules.
4. If a judge cannot be reached or rejects all calls, the error is raised.
5. An example without a score counts as the given worst score.
6. Feedback says what is wrong, with one predictor's output if one is given: a sentence that the passage does not have, a
   phrase that refers to the source, why a try was rejected, the judge's criticism of the trace.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dspy
import pytest

from optimize.measure import Measured, OptimizerMetric, StageMeasure, TraceMeasure
from optimize.metrics import Score, parse_weights
from optimize.recording import Recorder
from optimize.stages import TUNABLE
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import ReaskRules
from programs.asking.reply import RejectedTry, Reply
from programs.errors import AccessDenied, BackendError
from programs.lms.resolve import resolve
from programs.record_parts import GRADES, Verdict
from tests.builders import VERDICT, Answers, good_output, reply_to, unread_reply
from tests.lms.asking import NO_RETRIES
from tests.optimize.test_stages import prediction
from tests.standin.faults import FaultPlan
from tests.standin.scientist import UNREADABLE, AnswerFunction, Scientist
from tests.standin.server import StandIn

WEIGHTS = parse_weights("composite")
NO_FIELDS = dspy.Example()
RULES = ReaskRules()
UNREADABLE_JUDGES: dict[str, AnswerFunction] = dict.fromkeys(("judge", "grade"), lambda _: UNREADABLE)
GRADING: dict[str, Any] = {"reason": "Good enough.", **dict.fromkeys(GRADES, 80)}


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


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    recorder = Recorder(tmp_path)
    yield recorder
    recorder.journal.close()


def test_1_the_composite_combines_judges_grades_and_rules() -> None:
    with trace_measure() as (measure, _):
        found = measure(NO_FIELDS, prediction())
    assert list(found.metrics) == list(WEIGHTS)
    assert (found.metrics["judge"].value, found.metrics["grades"].value) == (1.0, 0.8)
    assert found.score.value == pytest.approx(sum(WEIGHTS[name] * (found.metrics[name].value or 0) for name in WEIGHTS))
    assert found.record is not None
    assert [verdict.judge for verdict in found.record.verdicts] == ["openai/a", "openai/b"]


def test_1_if_all_judges_fail_there_is_no_score() -> None:
    with trace_measure(stages=UNREADABLE_JUDGES) as (measure, _):
        measured = measure(NO_FIELDS, prediction())
    assert (measured.metrics["judge"].value, measured.metrics["grades"].value) == (None, None)
    assert measured.score.value is None
    assert "no judge and no grades" in measured.score.reason
    with trace_measure(weights={"judge": 1.0}, stages=UNREADABLE_JUDGES) as (measure, _):
        assert measure(NO_FIELDS, prediction()).score.value is None


@pytest.mark.parametrize("stage", ["questions", "critique", "answer"])
def test_1_a_refused_call_gives_no_score(stage: str) -> None:
    refused = unread_reply("HTTP 400: not this").model_copy(update={"fault": "refused"})
    failed = prediction(Answers(**{stage: lambda _: refused}))
    assert TraceMeasure(WEIGHTS, {}, RULES)(NO_FIELDS, failed).score.value is None
    assert StageMeasure(stage)(NO_FIELDS, failed).score.value is None


@pytest.mark.parametrize("stage", ["questions", "context", "critique", "trace", "answer"])
def test_1_and_6_a_failed_stage_scores_0_with_the_reason(stage: str) -> None:
    failed = prediction(Answers(**{stage: lambda _: unread_reply("no JSON")}))
    with trace_measure() as (measure, server):
        measured = measure(NO_FIELDS, failed)
    assert measured.score.value == 0.0
    assert f"{stage}: no JSON" in measured.score.reason
    assert "no JSON" in " ".join(measured.feedback[TUNABLE["answer"].predictor]), "says why it was not reached"
    assert (measured.metrics, measured.record, measured.stages[stage]) == ({}, None, "no JSON")
    assert not server.calls


def test_2_judge_calls_do_not_enter_the_trace(recorder: Recorder) -> None:
    with trace_measure() as (measure, server), dspy.context(trace=[]):
        OptimizerMetric(measure, 0.0, recorder)(NO_FIELDS, prediction())
        assert dspy.settings.trace == []
    assert len(server.calls) == 3


def test_3_judges_are_asked_by_the_rules() -> None:
    rules = ReaskRules(max_tries=2, seed=5, max_tokens=333)
    with trace_measure(rules=rules, stages=UNREADABLE_JUDGES) as (measure, server):
        measure(NO_FIELDS, prediction())
    assert {body["max_tokens"] for body in server.bodies} == {333}
    assert len(server.bodies) == 3 * rules.max_tries


@pytest.mark.parametrize(
    ("fault", "error", "metric"),
    [("500", BackendError, "judge"), ("reset", BackendError, "grades"), ("401", AccessDenied, "judge")],
)
def test_4_the_error_of_a_judge_is_raised(fault: str, error: type[BackendError], metric: str) -> None:
    faults = FaultPlan(rate=1.0, kinds=[fault])
    with trace_measure(weights={metric: 1.0}, faults=faults) as (measure, _), pytest.raises(error):
        measure(NO_FIELDS, prediction())


def test_5_a_missing_score_counts_as_the_worst(recorder: Recorder) -> None:
    scores = [None, 0.2, 0.6, None, 1.0]
    feedback = {"a": ["told"], "b": ["other"]}
    metric = OptimizerMetric(lambda *_: Measured(Score(scores.pop(0), ""), feedback=feedback), 0.3, recorder)
    results = [metric(dspy.Example(), dspy.Prediction(), pred_name=name) for name in ("a", None, *"aaa")]
    assert [result.score for result in results] == [0.3, 0.2, 0.6, 0.3, 1.0]
    assert (results[0].feedback, results[1].feedback) == ("No score.\ntold", "Score 0.20.\ntold\nother")
    # An error of the measure is raised, not scored.
    for _ in range(2):
        with pytest.raises(IndexError):
            metric(dspy.Example(), dspy.Prediction())


CRITICISM = "The calibration is asserted without a number."
SOURCE_QUESTION = "What does the paper conclude about the calibration of its lamps?"


class JudgedMeasure(TraceMeasure):
    """A measure that adds the same verdict to every trace, without a model."""

    async def _attempt(self, unit: Any) -> Any:
        attempt = await super()._attempt(unit)
        attempt.verdicts.append(Verdict(judge="j", scored=True, overall=4, fault=CRITICISM))
        return attempt


def evidence(_: Any) -> Any:
    return {"items": [{"sentence": n, "claim": f"States number {n}.", "bearing": "supports"} for n in (1, 9)]}


def questions(ask: Any) -> Reply:
    rejected = reply_to(ask, {**good_output(ask), "question": SOURCE_QUESTION})
    return reply_to(ask, good_output(ask)).model_copy(update={"rejected": [RejectedTry(problems=rejected.problems)]})


OFF_TOPIC = {"text": "Bananas ripen faster beside apples because ethylene spreads between them overnight."}
FAULTY_ANSWERS = {"evidence": evidence, "questions": questions, "answer": lambda _: OFF_TOPIC}

FAULTS = {
    "evidence": "The passage has no sentence 9.",
    "questions": 'A try was not taken: refers to its source: "the paper"',
    "answer": "ethylene",
}


@pytest.mark.parametrize("stage", [*TUNABLE, None])
def test_6_feedback_is_on_one_predictor_or_on_all(stage: str | None, recorder: Recorder) -> None:
    made, measure = prediction(Answers(**FAULTY_ANSWERS)), JudgedMeasure(WEIGHTS, {}, RULES)
    name = None if stage is None else TUNABLE[stage].predictor
    text = OptimizerMetric(measure, 0.0, recorder)(NO_FIELDS, made, None, name).feedback
    assert [name for name, phrase in FAULTS.items() if phrase in text] == [n for n in FAULTS if stage in (n, None)]
    assert "no sentence 1." not in text
    assert (f"judge 0.33: Fault: {CRITICISM}" in text) == (stage in ("trace", "answer", None))
