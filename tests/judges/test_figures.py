"""The figures of a judge against people, and their bounds.

1. A judge that was right each time of a few is not surely so: the bounds of a share are Wilson's, of so many answers as
   there are questions, and hold the true value about as often as they say.
2. What is undefined is None, and what is all alike has no bounds.
"""

from __future__ import annotations

import numpy as np
import pytest

from programs.inputs.sample import Place
from programs.judges.figures import Estimate, figures_of
from programs.judges.labels import Labelled


def answer(question: int, number: int, correct: bool, overall: int | None = None) -> Labelled:
    return Labelled(
        id=f"a{number}",
        question=f"Why {question}?",
        reference="Because.",
        key_passage=None,
        answer=f"So {number}.",
        correct=correct,
        overall=overall,
        source=f"s{question}",
        place=Place(file="labels.jsonl", line=number + 1),
    )


def bounds(questions: int, each: int = 1) -> tuple[float | None, float | None, float | None]:
    """Of a judge who is always right about a right and a wrong answer, `each` times, to so many questions."""
    answers = [
        answer(question, number, bool(number % 2)) for question in range(questions) for number in range(2 * each)
    ]
    found = figures_of(answers, [9 if one.correct else 2 for one in answers], 6, 0).balanced_accuracy
    return found.value, found.low, found.high


def test_1_right_on_two_of_two_is_not_certain() -> None:
    value, low, high = bounds(1)
    assert (value, high) == (1.0, 1.0)
    assert low is not None
    assert low < 0.5
    assert [bounds(count)[1] for count in (2, 20, 200)] == pytest.approx([0.535, 0.886, 0.987], abs=1e-3)
    assert bounds(20, each=5) == bounds(20), "more answers to the same questions make it no narrower"


@pytest.mark.parametrize(("questions", "accuracy"), [(10, 0.9), (20, 0.95), (40, 0.7)])
def test_1_the_bounds_hold_the_truth_as_often_as_they_say(questions: int, accuracy: float) -> None:
    dice = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        agreed = {kind: [(str(n), bool(dice.random() < accuracy)) for n in range(questions)] for kind in (True, False)}
        found = Estimate.of_shares(agreed)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= accuracy <= found.high
    assert held / 400 >= 0.93


def test_2_what_is_undefined_is_none_and_what_is_alike_has_no_bounds() -> None:
    right = [answer(number, number, True, overall=8) for number in range(3)]
    found = figures_of(right, [9, 9, 9], 6, 0)
    assert found.balanced_accuracy == Estimate()
    assert (found.kappa, found.bias, found.bias_interval) == (None, 1.0, None)
    silent = figures_of(right, [None] * 3, 6, 0)
    assert (silent.scored, silent.says_correct, silent.bias) == (0, None, None)
