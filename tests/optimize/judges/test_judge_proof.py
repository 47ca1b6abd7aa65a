"""Figures of agreement, worked out by hand, and what an optimizer is told of one verdict."""

import dspy
import pytest

from optimize.judges.judge_measure import JudgeFeedback, JudgeMetric, agreement
from optimize.judges.judge_proof import Ratings, prove_judges
from programs.stages.judge import Verdict
from tests.optimize.judges.test_judge_cases import answer

TRUTH = [True, True, True, False, False, True]
ANSWERS = [answer(number // 2, number, right, overall=9 if right else 2) for number, right in enumerate(TRUTH)]
BEFORE: Ratings = {"a": [9, 9, 9, 9, 9, 9], "b": [9, 9, 7, 6, None, 8]}
AFTER: Ratings = {"a": [9, 5, 9, 2, 2, 9], "b": [9, None, 7, 2, 2, 8]}


def test_the_figures() -> None:
    proof = prove_judges(ANSWERS, BEFORE, AFTER, correct_from=6, seed=0)
    assert (proof.answers, proof.questions) == (6, 3)
    assert proof.people_say_correct == pytest.approx(4 / 6)

    first = proof.judges["a"]
    assert (first.balanced_accuracy.before, first.balanced_accuracy.after) == (0.5, (3 / 4 + 1) / 2)
    assert first.balanced_accuracy.pairs == 6
    assert first.before.kappa == 0.0
    assert first.after.kappa == pytest.approx(1 - (1 / 6) / (1 / 2))
    assert (first.before.says_correct, first.after.says_correct) == (1.0, 0.5)
    assert first.before.rating_kappa == 0.0
    assert first.after.rating_kappa == pytest.approx(1 - 6 * 16 / (64 + 392 + 294 + 18))

    # The answers that `b` did not rate both times are the second and the fifth.
    second = proof.judges["b"]
    assert second.balanced_accuracy.pairs == 4
    assert (second.before.unscored, second.after.unscored) == (1, 1)
    assert second.people_say_correct == 3 / 4
    assert (second.balanced_accuracy.before, second.balanced_accuracy.after) == (0.5, 1.0)

    assert proof.balanced_accuracy.before == 0.5
    assert proof.balanced_accuracy.after == pytest.approx((0.875 + 1) / 2)
    pair = proof.between["a and b"]
    assert (pair.before.answers, pair.after.answers) == (5, 5)
    assert pair.before.kappa is None
    assert pair.after.kappa == 1.0
    assert proof.alpha_after is not None
    assert proof.alpha_before is not None
    assert proof.alpha_before < 0.5 < proof.alpha_after


@pytest.mark.parametrize(("questions", "improved"), [(7, False), (8, True)])
def test_few_questions_prove_nothing(questions: int, improved: bool) -> None:
    rights = [number % 2 == 0 for number in range(2 * questions)]
    answers = [answer(number // 2, number, right) for number, right in enumerate(rights)]
    always, rightly = [8] * len(answers), [8 if right else 2 for right in rights]
    proof = prove_judges(answers, {"a": always}, {"a": rightly}, correct_from=6, seed=0)
    assert proof.balanced_accuracy.interval is not None
    assert proof.balanced_accuracy.interval.low > 0
    assert proof.improved is improved


def test_a_judge_alone_agrees_with_nobody_else() -> None:
    proof = prove_judges(ANSWERS, {"a": BEFORE["a"]}, {"a": AFTER["a"]}, correct_from=6, seed=0)
    assert proof.between == {}
    assert (proof.alpha_before, proof.alpha_after) == (None, None)
    assert proof.balanced_accuracy == proof.judges["a"].balanced_accuracy


def test_where_a_judge_has_no_figure_there_is_no_mean() -> None:
    silent: Ratings = {"a": AFTER["a"], "b": [None] * 6}
    proof = prove_judges(ANSWERS, BEFORE, silent, correct_from=6, seed=0)
    assert proof.balanced_accuracy.before is None
    assert proof.balanced_accuracy.interval is None
    assert proof.improved is False
    assert proof.judges["b"].after.unscored == 6


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
    feedback = JudgeFeedback(JudgeMetric(6))
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
