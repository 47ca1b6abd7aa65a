"""What judges are tuned on: labelled answers, their questions divided into three sides, and the examples made of them.

The training and the validation side are balanced: of answers that people found right and of those found wrong there are
equally many, whichever are fewer repeated in turn, so that a judge that always says "correct" scores a half while it is
tuned, as it does in the proof. A repeated example costs nothing: what was asked before is remembered.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import cycle, islice

import dspy

from optimize.compilation import MOST_EXAMPLES, MOST_TESTS
from optimize.settings import CompileSettings
from optimize.splits import Splits, split_by, spread
from programs.errors import UserError
from programs.judges.labels import Labelled, shown


def divided(answers: Sequence[Labelled], settings: CompileSettings) -> Splits[Labelled]:
    """Divides the questions by the seed: none is on two sides, and test has all answers to its questions, once.

    `num_test` counts questions (half of them, at most 60, when None), `num_train` and `num_val` count answers (a quarter
    each, at most 24); an odd one is rounded down.
    Raises `UserError`, with the numbers, where there is too little, or where a side has no right or no wrong answers.
    """
    by_question: dict[str, list[Labelled]] = {}
    for answer in sorted(answers, key=lambda answer: answer.id):
        by_question.setdefault(answer.question_key, []).append(answer)
    count, usual = len(by_question), max(2, min(MOST_EXAMPLES, len(answers) // 4))
    train, val = settings.num_train or usual, settings.num_val or usual
    test = settings.num_test or max(2, min(MOST_TESTS, count // 2))
    rest = count - test
    if rest < 2:
        raise UserError(
            f"there are answers to {count} questions, of which --num-test {test} leaves {max(rest, 0)} for training "
            "and validation; ask for fewer, or give answers to more questions"
        )
    vals = min(max(1, round(rest * val / (val + train))), rest - 1)
    numbers = {"num_train": rest - vals, "num_val": vals, "num_test": test}
    keys = split_by(list(by_question), source=str, identity=str, seed=settings.seed, **numbers)
    sides = {
        name: [one for key in getattr(keys, name) for one in by_question[key]] for name in ("train", "val", "test")
    }
    for name, side in sides.items():
        _check(name, side, settings.judged_correct_from)
    found = Splits(**sides, sources=count, items=len(answers))
    return replace(found, train=_balanced(found.train, train, settings), val=_balanced(found.val, val, settings))


def _check(side: str, answers: Sequence[Labelled], correct_from: int) -> None:
    found = {answer.is_right(correct_from) for answer in answers}
    for word, right in (("right", True), ("wrong", False)):
        if right not in found:
            raise UserError(
                f"no answer that people found {word} belongs to the {side} questions, so that nothing can be compared; "
                "give more answers, or try another --seed or other numbers of them"
            )


def _balanced(answers: Sequence[Labelled], number: int, settings: CompileSettings) -> list[Labelled]:
    """At most `number` answers, half of them right and half wrong, of as many questions as there are."""
    kinds = []
    for right in (True, False):
        groups: dict[str, list[Labelled]] = {}
        for answer in answers:
            if answer.is_right(settings.judged_correct_from) is right:
                groups.setdefault(answer.question_key, []).append(answer)
        dice = random.Random(f"{settings.seed}/{right}")
        kinds.append(spread([dice.sample(group, len(group)) for group in groups.values()], max(1, number // 2)))
    length = max(map(len, kinds))
    return [answer for kind in kinds for answer in islice(cycle(kind), length)]


def examples_of(answers: Iterable[Labelled], judges: Sequence[str], correct_from: int) -> list[dspy.Example]:
    """An example for every answer and judge, so that a score over them all is the mean over the judges. `correct` and
    `rating` are what people said (one of them may be None), `right` is `Labelled.is_right`."""
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
        for judge in judges
    ]
