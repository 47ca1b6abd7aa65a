"""What judges are tuned on: labelled answers, their questions divided into three sides.

The training and the validation side are balanced: of answers that people found right and of those found wrong there are
equally many, whichever are fewer repeated in turn, so that a judge that always says "correct" scores a half while it is
tuned, as it does in the proof. A repeated example costs nothing: what was asked before is remembered.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import dspy

from optimize.splits import split_by, spread
from programs.errors import UserError
from programs.judges.label_view import shown
from programs.judges.labels import Labelled


@dataclass(frozen=True)
class Sides:
    """`train` and `val` hold as many right as wrong answers, some perhaps repeatedly; `test` has all answers to its
    questions once. No question is on two sides."""

    train: list[Labelled]
    val: list[Labelled]
    test: list[Labelled]


def divided(
    answers: Sequence[Labelled],
    *,
    num_train: int | None,
    num_val: int | None,
    num_test: int | None,
    seed: int,
    correct_from: int,
) -> Sides:
    """Divides the questions by the seed. `num_test` counts questions (half of them, at most 60, when None), `num_train`
    and `num_val` count answers (a quarter each, at most 24); an odd one is rounded down.

    Raises `UserError`, with the numbers, where there is too little, or where a side has no right or no wrong answers.
    """
    by_question: dict[str, list[Labelled]] = {}
    for answer in sorted(answers, key=lambda answer: answer.id):
        by_question.setdefault(answer.question_key, []).append(answer)
    count, usual = len(by_question), max(2, min(24, len(answers) // 4))
    wanted = {"train": num_train or usual, "val": num_val or usual}
    tests = num_test or max(2, min(60, count // 2))
    rest = count - tests
    if rest < 2:
        raise UserError(
            f"there are answers to {count} questions, of which --num-test {tests} leaves {max(rest, 0)} for training "
            "and validation; ask for fewer, or give answers to more questions"
        )
    vals = min(max(1, round(rest * wanted["val"] / (wanted["val"] + wanted["train"]))), rest - 1)
    split = split_by(
        list(by_question),
        source=str,
        identity=str,
        num_train=rest - vals,
        num_val=vals,
        num_test=tests,
        seed=seed,
    )
    sides = {
        name: [answer for key in keys for answer in by_question[key]]
        for name, keys in (("train", split.train), ("val", split.val), ("test", split.test))
    }
    for name, side in sides.items():
        _check(name, side, correct_from)
    return Sides(
        train=balanced(sides["train"], wanted["train"], seed=seed, correct_from=correct_from),
        val=balanced(sides["val"], wanted["val"], seed=seed, correct_from=correct_from),
        test=sides["test"],
    )


def balanced(answers: Sequence[Labelled], number: int, *, seed: int, correct_from: int) -> list[Labelled]:
    """At most `number` answers, half of them right and half wrong, of as many questions as there are. Of whichever there
    are fewer, all are taken and then repeated in turn. There must be one of each."""
    half = max(1, number // 2)
    kinds = []
    for right in (True, False):
        groups: dict[str, list[Labelled]] = {}
        for answer in answers:
            if answer.is_right(correct_from) is right:
                groups.setdefault(answer.question_key, []).append(answer)
        dice = random.Random(f"{seed}/{right}")
        kinds.append(spread([dice.sample(group, len(group)) for group in groups.values()], half))
    length = max(map(len, kinds))
    return [answer for kind in kinds for answer in islice(cycle(kind), length)]


def examples_of(answers: Iterable[Labelled], judges: Iterable[str], correct_from: int) -> list[dspy.Example]:
    """An example for every answer and judge, so that a score over them all is the mean over the judges. `correct` and
    `rating` are what people said (one of them may be None), `right` is `Labelled.is_right`."""
    names = list(judges)
    return [
        dspy.Example(
            passage=shown(answer),
            question=answer.question,
            answer=answer.answer,
            thought=answer.thought,
            judge=judge,
            correct=answer.correct,
            rating=answer.overall,
            right=answer.is_right(correct_from),
        ).with_inputs("passage", "question", "answer", "thought", "judge")
        for answer in answers
        for judge in names
    ]


def _check(side: str, answers: Sequence[Labelled], correct_from: int) -> None:
    found = {answer.is_right(correct_from) for answer in answers}
    missing = next((word for word, right in (("right", True), ("wrong", False)) if right not in found), None)
    if missing is not None:
        raise UserError(
            f"no answer that people found {missing} belongs to the {side} questions, so that nothing can be compared; "
            "give more answers, or try another --seed or other numbers of them"
        )
