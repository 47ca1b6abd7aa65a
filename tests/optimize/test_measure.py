"""Invariants of `optimize.measure`.

1. Judges that give nothing readable give no score, and neither does the composite have one: who silences its judges
   gains nothing. A program that gives no trace scores 0, and says why; a call that a server refused is no score.
2. What judges are asked never enters the trace from which DSPy takes demonstrations.
3. Judges and grader are asked by the rules that are given.
4. A judge that cannot be reached or refuses is raised.
5. An example without a score counts as the worst that is known.
6. What is said names what is wrong, of the predictor that was asked for alone: the sentence that the passage has not, the
   phrase that leans on a source, why a try was not taken, what the judge held against the trace.
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
from optimize.stages import STAGES
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import ReaskRules
from programs.asking.reply import Rejected, Reply
from programs.errors import AccessDenied, BackendError
from programs.lms.resolve import resolve
from programs.records import GRADES, Verdict
from tests.lms.asking import ONCE
from tests.making import VERDICT, Answers, answered, good_output, unread
from tests.optimize.test_stages import prediction
from tests.standin.faults import FaultPlan
from tests.standin.scientist import UNREADABLE, Answer, Scientist
from tests.standin.server import StandIn

WEIGHTS = parse_weights("composite")
EXAMPLE = dspy.Example()
RULES = ReaskRules()
UNREAD: dict[str, Answer] = dict.fromkeys(("judge", "grade"), lambda _: UNREADABLE)
SHEET: dict[str, Any] = {"reason": "Good enough.", **dict.fromkeys(GRADES, 80)}


@contextmanager
def judged(
    weights: dict[str, float] = WEIGHTS,
    rules: ReaskRules = RULES,
    stages: dict[str, Answer] | None = None,
    **server: Any,
) -> Iterator[tuple[TraceMeasure, StandIn]]:
    """A measure whose judges (the first grades too) are on a stand-in server."""
    brain = Scientist({"judge": lambda _: {**VERDICT, "overall": 10}, "grade": lambda _: SHEET, **(stages or {})})
    with StandIn(brain, **server) as standin:
        known: dict[str, Any] = {"api_base": standin.openai_base, "retry": ONCE, "timeout": 5.0, "env": {}}
        models = {name: resolve(name, **known) for name in ("openai/a", "openai/b")}
        with dspy.context(adapter=PassageFirstAdapter()):
            yield TraceMeasure(weights, models, rules), standin
        for model in models.values():
            model.close()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    found = Recorder(tmp_path)
    yield found
    found.journal.close()


def test_1_the_composite_is_of_judges_grades_and_rules() -> None:
    with judged() as (measure, _):
        found = measure(EXAMPLE, prediction())
    assert list(found.metrics) == list(WEIGHTS)
    assert (found.metrics["judge"].value, found.metrics["grades"].value) == (1.0, 0.8)
    assert found.score.value == pytest.approx(sum(WEIGHTS[name] * (found.metrics[name].value or 0) for name in WEIGHTS))
    assert found.record is not None
    assert [verdict.judge for verdict in found.record.verdicts] == ["openai/a", "openai/b"]


def test_1_a_judge_that_fails_gives_no_score() -> None:
    with judged(stages=UNREAD) as (measure, _):
        found = measure(EXAMPLE, prediction())
    assert (found.metrics["judge"].value, found.metrics["grades"].value) == (None, None)
    assert found.score.value is None
    assert "no judge and no grades" in found.score.reason
    with judged(weights={"judge": 1.0}, stages=UNREAD) as (measure, _):
        assert measure(EXAMPLE, prediction()).score.value is None


@pytest.mark.parametrize("stage", ["questions", "critique", "answer"])
def test_1_a_call_that_is_refused_is_no_score(stage: str) -> None:
    refused = unread("HTTP 400: not this").model_copy(update={"fault": "refused"})
    found = prediction(Answers(**{stage: lambda _: refused}))
    assert TraceMeasure(WEIGHTS, {}, RULES)(EXAMPLE, found).score.value is None
    assert StageMeasure(stage)(EXAMPLE, found).score.value is None


@pytest.mark.parametrize("stage", ["questions", "context", "critique", "trace", "answer"])
def test_1_and_6_a_program_that_gives_nothing_scores_0_and_says_why(stage: str) -> None:
    failed = prediction(Answers(**{stage: lambda _: unread("no JSON")}))
    with judged() as (measure, server):
        found = measure(EXAMPLE, failed)
    assert found.score.value == 0.0
    assert f"{stage}: no JSON" in found.score.reason
    assert "no JSON" in " ".join(found.feedback[STAGES["answer"].predictor]), "why it was not reached"
    assert (found.metrics, found.record, found.stages[stage]) == ({}, None, "no JSON")
    assert not server.calls


def test_2_judges_stay_out_of_the_trace(recorder: Recorder) -> None:
    with judged() as (measure, server), dspy.context(trace=[]):
        OptimizerMetric(measure, 0.0, recorder)(EXAMPLE, prediction())
        assert dspy.settings.trace == []
    assert len(server.calls) == 3


def test_3_judges_are_asked_by_the_rules() -> None:
    rules = ReaskRules(limit=2, seed=5, max_tokens=333)
    with judged(rules=rules, stages=UNREAD) as (measure, server):
        measure(EXAMPLE, prediction())
    assert {body["max_tokens"] for body in server.bodies} == {333}
    assert len(server.bodies) == 3 * rules.limit


@pytest.mark.parametrize(
    ("fault", "error", "metric"),
    [("500", BackendError, "judge"), ("reset", BackendError, "grades"), ("401", AccessDenied, "judge")],
)
def test_4_a_judge_that_is_gone_is_raised(fault: str, error: type[BackendError], metric: str) -> None:
    faults = FaultPlan(share=1.0, kinds=[fault])
    with judged(weights={metric: 1.0}, faults=faults) as (measure, _), pytest.raises(error):
        measure(EXAMPLE, prediction())


def test_5_what_has_no_score_counts_as_the_worst(recorder: Recorder) -> None:
    values = [None, 0.2, 0.6, None, 1.0]
    told = {"a": ["told"], "b": ["other"]}
    metric = OptimizerMetric(lambda *_: Measured(Score(values.pop(0), ""), feedback=told), 0.3, recorder)
    made = [metric(dspy.Example(), dspy.Prediction(), pred_name=name) for name in ("a", None, *"aaa")]
    assert [one.score for one in made] == [0.3, 0.2, 0.6, 0.3, 1.0]
    assert (made[0].feedback, made[1].feedback) == ("No score.\ntold", "Score 0.20.\ntold\nother")
    # What a metric raises is the end, and no score.
    for _ in range(2):
        with pytest.raises(IndexError):
            metric(dspy.Example(), dspy.Prediction())


HELD = "The calibration is asserted without a number."
LEANING = "What does the paper conclude about the calibration of its lamps?"


class Judged(TraceMeasure):
    """A measure whose judge says the same of every trace, without a model."""

    async def _attempt(self, unit: Any) -> Any:
        attempt = await super()._attempt(unit)
        attempt.verdicts.append(Verdict(judge="j", scored=True, overall=4, fault=HELD))
        return attempt


def evidence(_: Any) -> Any:
    return {"items": [{"sentence": n, "claim": f"States number {n}.", "bearing": "supports"} for n in (1, 9)]}


def questions(ask: Any) -> Reply:
    tried = answered(ask, {**good_output(ask), "question": LEANING})
    return answered(ask, good_output(ask)).model_copy(update={"rejected": [Rejected(problems=tried.problems)]})


OFF_TOPIC = {"text": "Bananas ripen faster beside apples because ethylene spreads between them overnight."}
FAULTY = {"evidence": evidence, "questions": questions, "answer": lambda _: OFF_TOPIC}

WRONG = {
    "evidence": "The passage has no sentence 9.",
    "questions": 'A try was not taken: leans on its source: "the paper"',
    "answer": "ethylene",
}


@pytest.mark.parametrize("stage", [*STAGES, None])
def test_6_it_speaks_of_one_predictor_or_of_all(stage: str | None, recorder: Recorder) -> None:
    made, measure = prediction(Answers(**FAULTY)), Judged(WEIGHTS, {}, RULES)
    name = None if stage is None else STAGES[stage].predictor
    words = OptimizerMetric(measure, 0.0, recorder)(EXAMPLE, made, None, name).feedback
    assert [name for name, phrase in WRONG.items() if phrase in words] == [n for n in WRONG if stage in (n, None)]
    assert "no sentence 1." not in words
    assert (f"judge 0.33: Fault: {HELD}" in words) == (stage in ("trace", "answer", None))
