"""Figures of agreement, worked out by hand, and what an optimizer is told of one verdict."""

from typing import Any

import dspy
import pytest

from optimize.judges.judge_measure import JudgeMetric, Ratings, agreement, prove_judges
from programs.records import Verdict
from tests.optimize.judges.test_judge_cases import answer

TRUTH = [True, True, True, False, False, True]
ANSWERS = [answer(number // 2, number, right, overall=9 if right else 2) for number, right in enumerate(TRUTH)]
BEFORE: Ratings = {"a": [9, 9, 9, 9, 9, 9], "b": [9, 9, 7, 6, None, 8]}
AFTER: Ratings = {"a": [9, 5, 9, 2, 2, 9], "b": [9, None, 7, 2, 2, 8]}


def test_the_figures() -> None:
    proof = prove_judges(ANSWERS, BEFORE, AFTER, correct_from=6, seed=0)

    def figures(name: str) -> Any:
        found = proof.metrics[name]
        return found.before, found.after

    assert figures("a: balanced accuracy") == (0.5, (3 / 4 + 1) / 2)
    assert figures("a: Cohen's kappa with people") == (0.0, pytest.approx(1 - (1 / 6) / (1 / 2)))
    assert list(figures("a: leniency (calls correct, less people)")) == pytest.approx([1 - 4 / 6, 0.5 - 4 / 6])
    weighted = pytest.approx(1 - 6 * 16 / (64 + 392 + 294 + 18))
    assert figures("a: weighted kappa with people's ratings") == (0.0, weighted)

    # The answers that `b` did not rate both times are the second and the fifth.
    assert figures("b: balanced accuracy") == (0.5, 1.0)
    assert [proof.metrics[f"{judge}: balanced accuracy"].pairs for judge in "ab"] == [6, 4]
    assert (proof.stages["b"].failed_before, proof.stages["b"].failed_after, proof.stages["b"].asked_after) == (1, 1, 6)
    assert proof.composite.before == 0.5
    assert proof.composite.after == pytest.approx((0.875 + 1) / 2)
    before, after = figures("between the judges: Krippendorff's alpha")
    assert before < 0.5 < after


@pytest.mark.parametrize(("questions", "improved"), [(7, False), (8, True)])
def test_few_questions_prove_nothing(questions: int, improved: bool) -> None:
    rights = [number % 2 == 0 for number in range(2 * questions)]
    answers = [answer(number // 2, number, right) for number, right in enumerate(rights)]
    always, rightly = [8] * len(answers), [8 if right else 2 for right in rights]
    proof = prove_judges(answers, {"a": always}, {"a": rightly}, correct_from=6, seed=0)
    assert proof.composite == proof.metrics["a: balanced accuracy"]
    assert proof.composite.interval is not None
    assert proof.composite.interval.low > 0
    assert proof.improved is improved
    assert not any("between" in name for name in proof.metrics)


def test_where_a_judge_has_no_figure_there_is_no_mean() -> None:
    silent: Ratings = {"a": AFTER["a"], "b": [None] * 6}
    proof = prove_judges(ANSWERS, BEFORE, silent, correct_from=6, seed=0)
    assert (proof.composite.before, proof.composite.interval, proof.improved) == (None, None, False)
    assert proof.stages["b"].failed_after == 6


def verdict(overall: int | None) -> Verdict:
    if overall is None:
        return Verdict(judge="a", scored=False, reason="the reply could not be read")
    return Verdict(judge="a", scored=True, overall=overall, fault="It is what it is.", best_point="It is short.")


def example(correct: bool | None, rating: int | None) -> dspy.Example:
    return dspy.Example(correct=correct, rating=rating)


@pytest.mark.parametrize(
    ("overall", "correct", "rating", "score"),
    [
        (6, True, None, 1.0),
        (5, True, None, 0.0),
        (5, False, None, 1.0),
        (10, False, None, 0.0),
        (8, None, 8, 1.0),
        (1, None, 10, 0.0),
        (7, None, 4, 1 - 3 / 9),
        (7, True, 10, (1 + 1 - 3 / 9) / 2),
        (None, True, 10, None),
    ],
)
def test_the_agreement_of_one_verdict(
    overall: int | None, correct: bool | None, rating: int | None, score: float | None
) -> None:
    assert agreement(verdict(overall), example(correct, rating), 6).value == (
        None if score is None else pytest.approx(score)
    )


def test_what_is_said_of_a_verdict() -> None:
    feedback = JudgeMetric(6).feedback
    wrong = feedback(example(False, None), dspy.Prediction(verdict=verdict(9)))
    assert wrong.score == 0.0
    assert wrong.feedback == (
        "The judge said 9 of 10 (right); people said that the answer is wrong. "
        "The judge said: Fault: It is what it is. Best: It is short."
    )
    right = feedback(example(False, 2), dspy.Prediction(verdict=verdict(2)))
    assert (right.score, right.feedback) == (
        1.0,
        "The judge said 2 of 10 (wrong); people said that the answer is wrong and 2 of 10.",
    )


def test_no_verdict_is_a_failure_of_the_judge_and_is_counted() -> None:
    metric = JudgeMetric(6)
    scores = [metric(example(True, None), dspy.Prediction(verdict=verdict(overall))) for overall in (9, 2, None)]
    assert scores == [1.0, 0.0, 0.0]
    assert metric.unscored == 1
