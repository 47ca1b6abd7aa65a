"""Invariants of `optimize.measure`.

1. Judges that give nothing readable give no score, and neither does the composite have one: who silences its judges
   gains nothing. A program that gives no trace scores 0, and says why; a call that a server refused is no score.
2. What judges are asked never enters the trace from which DSPy takes demonstrations.
3. Judging and grading a trace takes `calls` calls when nothing is asked again, and only where the weights want them; they
   are asked by the rules that are given.
4. A judge that cannot be reached or refuses is raised.
5. An example without a score counts as the worst that is known, and is counted apart.
6. One stage is scored by its own output, and has no score where an earlier one failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dspy
import pytest

from optimize.measure import Measure, Measured, OptimizerMetric, StageMeasure
from optimize.metrics import COMPOSITE, METRICS, Score
from programs.asking.adapter import PassageFirstAdapter
from programs.asking.caller import TryRules
from programs.errors import AccessDenied, BackendError
from programs.lms.resolve import resolve
from tests.lms.asking import ONCE
from tests.making import VERDICT, Answers, unread
from tests.optimize.asked import prediction
from tests.standin.faults import FaultPlan
from tests.standin.scientist import Answer, Scientist
from tests.standin.server import StandIn

RULES = ("grounding", "self_contained", "form", "on_topic")
GRADES = {"reason": "Good enough.", "question_alignment": 80, "scientific_accuracy": 80, "completeness": 80}
GRADES |= {"uncertainty_calibration": 80, "clarity_structure": 80, "evidence_usage": 80}


def unreadable(_: Any) -> str:
    return "As a referee I would say that this is fine."


@contextmanager
def judged(
    names: tuple[str, ...] = ("openai/a", "openai/b"),
    weights: dict[str, float] = COMPOSITE,
    rules: TryRules | None = None,
    stages: dict[str, Answer] | None = None,
    **server: Any,
) -> Iterator[tuple[Measure, StandIn]]:
    """A measure whose judges (the first grades too) are on a stand-in server."""
    brain = Scientist({"judge": lambda _: {**VERDICT, "overall": 10}, "grade": lambda _: GRADES, **(stages or {})})
    with StandIn(brain, **server) as standin:
        models = {name: resolve(name, api_base=standin.openai_base, retry=ONCE, timeout=5.0, env={}) for name in names}
        with dspy.context(adapter=PassageFirstAdapter()):
            yield Measure(weights, models, next(iter(models.values()), None), rules), standin
        for model in models.values():
            model.close()


def test_1_the_composite_is_of_judges_grades_and_rules() -> None:
    with judged() as (measure, _):
        found = measure.measured(prediction())
    assert list(found.metrics) == list(COMPOSITE)
    assert (found.metrics["judge"].value, found.metrics["grades"].value) == (1.0, 0.8)
    assert found.score.value == pytest.approx(
        sum(COMPOSITE[name] * (found.metrics[name].value or 0) for name in COMPOSITE)
    )
    assert found.record is not None
    assert [verdict.judge for verdict in found.record.verdicts] == ["openai/a", "openai/b"]


def test_1_a_judge_that_fails_gives_no_score() -> None:
    with judged(stages={"judge": unreadable, "grade": unreadable}) as (measure, _):
        found = measure.measured(prediction())
    assert (found.metrics["judge"].value, found.metrics["grades"].value) == (None, None)
    assert found.score.value is None
    assert "no judge and no grades" in found.score.reason
    with judged(weights={"judge": 1.0}, stages={"judge": unreadable}) as (measure, _):
        assert measure.measured(prediction()).score.value is None


def test_1_of_two_judges_one_is_enough() -> None:
    def first_only(asked: Any) -> Any:
        return {**VERDICT, "overall": 4} if asked.body["model"] == "a" else "No."

    with judged(weights={"judge": 1.0}, stages={"judge": first_only}) as (measure, _):
        assert measure.measured(prediction()).score.value == pytest.approx(3 / 9)


def test_1_without_judges_the_rules_make_the_whole() -> None:
    found = Measure(COMPOSITE).measured(prediction())
    assert found.record is not None
    scores = [METRICS[name](found.record).value for name in RULES]
    by_rule = [score for score in scores if score is not None]
    assert found.score.value == pytest.approx(sum(by_rule) / len(by_rule))


@pytest.mark.parametrize("stage", ["questions", "critique", "answer"])
def test_1_a_call_that_is_refused_is_no_score(stage: str) -> None:
    refused = unread("HTTP 400: not this").model_copy(update={"fault": "refused"})
    found = prediction(Answers(**{stage: lambda _: refused}))
    assert Measure(COMPOSITE).measured(found).score.value is None
    assert StageMeasure(stage).measured(found).score.value is None


@pytest.mark.parametrize("stage", ["questions", "context", "critique", "trace", "answer"])
def test_1_a_program_that_gives_nothing_scores_0(stage: str) -> None:
    failed = prediction(Answers(**{stage: lambda _: unread("no JSON")}))
    with judged() as (measure, server):
        found = measure.measured(failed)
    assert found.score.value == 0.0
    assert f"{stage}: no JSON" in found.score.reason
    assert found.metrics == {"form": found.score}
    assert found.stages[stage] == "no JSON"
    assert found.record is None
    assert not server.calls
    assert Measure({"on_topic": 1.0}).measured(failed).metrics == {}


def test_2_judges_stay_out_of_the_trace() -> None:
    with judged() as (measure, server), dspy.context(trace=[]):
        measure.measured(prediction())
        assert dspy.settings.trace == []
    assert len(server.calls) == 3


@pytest.mark.parametrize(
    ("names", "weights", "calls"),
    [
        (("openai/a", "openai/b"), COMPOSITE, 3),
        (("openai/a",), COMPOSITE, 2),
        (("openai/a", "openai/b"), {"judge": 1.0, "form": 1.0}, 2),
        (("openai/a", "openai/b"), {"grades": 1.0}, 1),
        (("openai/a", "openai/b"), {"form": 1.0}, 0),
        ((), COMPOSITE, 0),
    ],
)
def test_3_the_calls_are_those_that_are_named(names: tuple[str, ...], weights: dict[str, float], calls: int) -> None:
    with judged(names, weights) as (measure, server):
        found = measure.measured(prediction())
        assert measure.calls == len(server.calls) == calls
    assert set(found.metrics) == set(weights)


def test_3_judges_are_asked_by_the_rules() -> None:
    rules = TryRules(limit=2, seed=5, max_tokens=333)
    with judged(rules=rules, stages={"judge": unreadable, "grade": unreadable}) as (measure, server):
        measure.measured(prediction())
    assert {body["max_tokens"] for body in server.bodies} == {333}
    assert len(server.bodies) == 3 * rules.limit


@pytest.mark.parametrize(("fault", "error"), [("500", BackendError), ("reset", BackendError), ("401", AccessDenied)])
@pytest.mark.parametrize("weights", [{"judge": 1.0}, {"grades": 1.0}])
def test_4_a_judge_that_is_gone_is_raised(fault: str, error: type[BackendError], weights: dict[str, float]) -> None:
    faults = FaultPlan(share=1.0, kinds=[fault])
    with judged(weights=weights, faults=faults) as (measure, _), pytest.raises(error):
        measure.measured(prediction())


def test_4_a_judge_that_is_silent_is_not() -> None:
    with judged(weights={"judge": 1.0}, faults=FaultPlan(share=1.0, kinds=["empty"])) as (measure, _):
        assert measure.measured(prediction()).score.value is None


class Given(Measure):
    """Scores as it is told."""

    def __init__(self, *values: float | None) -> None:
        super().__init__({})
        self._values = list(values)

    def measured(self, _prediction: dspy.Prediction) -> Measured:
        return Measured(Score(self._values.pop(0), "told"))


def test_5_what_has_no_score_counts_as_the_worst() -> None:
    metric = OptimizerMetric(Given(None, 0.2, 0.6, None, 1.0), worst=0.3)
    numbers = [metric(dspy.Example(), dspy.Prediction()) for _ in range(5)]
    assert numbers == [0.3, 0.2, 0.6, 0.3, 1.0]
    assert metric.unscored == 2


@pytest.mark.parametrize("stage", ["questions", "critique"])
def test_6_a_stage_is_scored_by_its_own_output(stage: str) -> None:
    measure = StageMeasure(stage)
    good = measure.measured(prediction())
    worse = measure.measured(prediction(Answers(**{stage: lambda _: unread("no JSON")})))
    elsewhere = measure.measured(prediction(Answers(trace=lambda _: unread("no JSON"))))
    assert good.score == elsewhere.score
    assert (good.score.value or 0) > 0.7 > (worse.score.value or 0) == 0.0
    assert good.stages == {stage: None}
    assert worse.stages == {stage: "no JSON"}


def test_6_without_the_stages_before_there_is_no_score() -> None:
    found = StageMeasure("critique").measured(prediction(Answers(context=lambda _: unread("no JSON"))))
    assert found.score.value is None
    assert found.stages == {}
