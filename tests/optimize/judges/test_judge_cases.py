"""What judges are tuned on.

1. No question is on two sides, and the test side has all answers to its questions, each once.
2. The other two sides hold as many right as wrong answers, and never more than was asked for.
3. The same answers and seed give the same sides, in whatever order the answers come.
4. A judge sees the key passage, or else the reference, which is called one.
"""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optimize.judges.judge_cases import divided, examples_of
from optimize.settings import CompileSettings
from optimize.splits import Splits
from programs.errors import UserError
from programs.inputs.sample import Place, content_id
from programs.judges.labels import REFERENCE, Labelled, shown


def answer(question: int, number: int, right: bool = True, **given: Any) -> Labelled:
    texts = {
        "question": f"What makes sample {question} drift?",
        "reference": "It is the lamp.",
        "key_passage": None,
        "answer": f"Answer {number} to it.",
    }
    made: dict[str, Any] = {**texts, "correct": right, "overall": None, **given}
    name = content_id(f"{made['question']}{made['answer']}")
    return Labelled(id=name, source="somewhere", place=Place(file="labelled.jsonl", line=1), **made)


def sides_of(answers: list[Labelled], **numbers: Any) -> Splits[Labelled]:
    return divided(answers, CompileSettings(model="openai/any", **numbers))


def questions_of(answers: list[Labelled]) -> set[str]:
    return {one.question_key for one in answers}


kinds = st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=4, max_size=20)
numbers = st.none() | st.integers(1, 30)


@settings(max_examples=80, deadline=None)
@given(
    kinds=kinds,
    train=numbers,
    val=numbers,
    test=st.none() | st.integers(2, 10),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_the_sides(
    kinds: list[list[bool]], train: int | None, val: int | None, test: int | None, seed: int, data: st.DataObject
) -> None:
    answers = [answer(q, number, right) for q, one in enumerate(kinds) for number, right in enumerate(one)]
    try:
        sides = sides_of(answers, num_train=train, num_val=val, num_test=test, seed=seed)
    except UserError:
        assume(False)
        raise
    asked = [questions_of(side) for side in (sides.train, sides.val, sides.test)]
    assert sum(map(len, asked)) == len(set().union(*asked))
    assert len(asked[2]) == (test or max(2, len(kinds) // 2))
    assert sorted(one.id for one in sides.test) == sorted(one.id for one in answers if one.question_key in asked[2])
    for side, most in ((sides.train, train), (sides.val, val)):
        right = sum(one.is_right(6) for one in side)
        assert 0 < right * 2 == len(side) <= max(2, most or 24)
        repeated = [one for one in side if side.count(one) > 1]
        assert len({one.is_right(6) for one in repeated}) <= 1
    shuffled = data.draw(st.permutations(answers))
    assert sides_of(shuffled, num_train=train, num_val=val, num_test=test, seed=seed) == sides


def test_a_large_set_is_not_repeated() -> None:
    answers = [answer(q, number, number != 0) for q in range(60) for number in range(4)]
    sides = sides_of(answers, seed=3)
    assert len(sides.train) == len({one.id for one in sides.train}) == 24
    assert len(questions_of(sides.train)) >= 10
    assert len(sides.test) == 120
    assert sides_of(answers, seed=4).test != sides.test


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([answer(q, 0, right) for q in range(3) for right in (True, False)], "--num-test 2 leaves 1"),
        ([answer(q, 0) for q in range(9)], "people found wrong belongs to the train questions"),
        ([answer(q, 0, False) for q in range(9)], "people found right belongs to the train questions"),
    ],
)
def test_too_little_is_said(answers: list[Labelled], said: str) -> None:
    with pytest.raises(UserError, match=said):
        sides_of(answers, num_test=2)


def test_what_a_judge_is_shown() -> None:
    with_passage = answer(1, 1, key_passage="Lamps drift. Nights are cold.")
    assert shown(with_passage) == "[1] Lamps drift.\n[2] Nights are cold."
    assert shown(answer(1, 1)) == f"{REFERENCE}\n\n[1] It is the lamp."


def test_an_example_for_every_answer_and_judge() -> None:
    rated = answer(2, 1, correct=None, overall=7)
    examples = examples_of([answer(1, 1, False), rated], ["a", "b"], 6)
    assert [(one.judge, one.correct, one.rating, one.right) for one in examples] == [
        ("a", False, None, False),
        ("b", False, None, False),
        ("a", None, 7, True),
        ("b", None, 7, True),
    ]
    assert set(examples[0].inputs()) == {"passage", "question", "answer", "thought", "judge"}
    assert [rated.is_right(threshold) for threshold in (7, 8)] == [True, False]
