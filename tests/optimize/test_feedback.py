"""Invariants of `optimize.feedback`.

1. It names what is wrong: the sentence that the passage has not, the phrase by which a question or an answer leans on a
   source, why a try was not taken, what the judge held against the trace.
2. It speaks of the predictor that was asked for: another stage's faults are not in it. Without a name it speaks of all.
3. Its score is the metric's; where there is none it says so.
4. A stage that was not reached is told why.
"""

from __future__ import annotations

from typing import Any

import dspy
import pytest

from optimize.feedback import Feedback
from optimize.measure import Measure, OptimizerMetric, StageMeasure
from optimize.metrics import COMPOSITE
from optimize.stages import STAGES
from programs.asking.reply import Rejected, Reply
from programs.records import Verdict
from tests.making import Answers, answered, good_output, unread
from tests.optimize.asked import prediction

HELD = "The calibration is asserted without a number."
LEANING = "What does the paper conclude about the calibration of its lamps?"


class Judged(Measure):
    """A measure whose judge says the same of every trace, without a model."""

    async def _attempt(self, unit: Any) -> Any:
        attempt = await super()._attempt(unit)
        attempt.verdicts.append(Verdict(judge="j", scored=True, overall=4, fault=HELD))
        return attempt


def said(stage: str | None, made: dspy.Prediction, measure: Measure | None = None) -> str:
    feedback = Feedback(OptimizerMetric(measure or Judged(COMPOSITE), worst=0.0))
    name = None if stage is None else STAGES[stage].predictor
    found = feedback(dspy.Example(), made, pred_name=name)
    assert 0 <= found.score <= 1
    return str(found.feedback)


def evidence(_: Any) -> Any:
    items = [{"sentence": n, "claim": f"States what number {n} holds.", "bearing": "supports"} for n in (1, 9)]
    return {"items": items}


def questions(ask: Any) -> Any:
    plain = good_output(ask)
    return {**plain, "critical": {**plain["critical"], "question": LEANING}}


def off_topic(_: Any) -> Any:
    return {"text": "Bananas ripen faster beside apples because ethylene spreads between them overnight."}


FAULTY = {"evidence": evidence, "questions": questions, "answer": off_topic}


@pytest.mark.parametrize("measure", [None, StageMeasure("evidence")])
def test_1_a_sentence_that_is_not_there_is_named(measure: Measure | None) -> None:
    words = said("evidence", prediction(Answers(**FAULTY)), measure)
    assert "The passage has no sentence 9." in words
    assert "no sentence 1." not in words


@pytest.mark.parametrize("measure", [None, StageMeasure("questions")])
def test_1_a_phrase_that_leans_is_quoted(measure: Measure | None) -> None:
    words = said("questions", prediction(Answers(**FAULTY)), measure)
    assert 'The critical question was not taken: leans on its source: "the paper"' in words


def test_1_why_a_try_was_not_taken_is_told() -> None:
    def late(ask: Any) -> Reply:
        reply = answered(ask, good_output(ask))
        return reply.model_copy(
            update={"rejected": [Rejected(problems=['leans on its source: "the authors" (authors)'])]}
        )

    assert 'A try was not taken: leans on its source: "the authors"' in said("answer", prediction(Answers(answer=late)))
    failed = said("trace", prediction(Answers(trace=lambda _: unread("no JSON"))))
    assert "It gave nothing to go on with: no JSON" in failed


@pytest.mark.parametrize("stage", ["trace", "answer"])
def test_1_what_the_judge_held_against_it_is_told(stage: str) -> None:
    assert f"judge 0.33: Fault: {HELD}" in said(stage, prediction())


def test_1_foreign_words_of_an_answer_are_named() -> None:
    assert "ethylene" in said("answer", prediction(Answers(**FAULTY)))


@pytest.mark.parametrize("stage", STAGES)
def test_2_it_speaks_of_one_predictor(stage: str) -> None:
    words = said(stage, prediction(Answers(**FAULTY)))
    about = {"evidence": "no sentence 9", "questions": "the paper", "answer": "ethylene"}
    assert [name for name, phrase in about.items() if phrase in words] == [name for name in about if name == stage]
    assert (HELD in words) == (stage in ("trace", "answer"))


def test_2_without_a_name_it_speaks_of_all() -> None:
    words = said(None, prediction(Answers(**FAULTY)))
    assert all(phrase in words for phrase in ("no sentence 9", "the paper", "ethylene", HELD))
    assert len(words.splitlines()) == len(set(words.splitlines()))


def test_3_the_score_is_the_metrics() -> None:
    metric = OptimizerMetric(Judged(COMPOSITE), worst=0.0)
    made = prediction()
    found = Feedback(metric)(dspy.Example(), made, pred_name="writer.trace")
    assert found.score == metric(dspy.Example(), made)
    assert found.feedback.startswith(f"Score {found.score:.2f}.\n")


def test_3_no_score_is_no_number() -> None:
    assert said("trace", prediction(), Measure({"judge": 1.0})).startswith("No score.\n")


def test_4_a_stage_that_was_not_reached_is_told_why() -> None:
    failed = prediction(Answers(context=lambda _: unread("no JSON")))
    assert "The answer stage was not reached: context: no JSON" in said("answer", failed)
