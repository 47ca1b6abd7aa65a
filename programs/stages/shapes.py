"""Which shape a thought gets: drawn from the seed, the text, the question and the variation, and from nothing else."""

import random

from signatures.question_type import Difficulty, QuestionType
from signatures.shape import LENGTHS, NOTICED, SHAPES, Shape

WRONG_TURN: dict[Difficulty, float] = {"beginner": 0.2, "intermediate": 0.32, "advanced": 0.42}
"""How likely a wrong turn is: most thoughts have none, harder questions more (arXiv 2505.24273 finds that the right number
depends on the task and is often none)."""

LENGTH_WEIGHTS: dict[Difficulty, tuple[int, int, int]] = {
    "beginner": (5, 4, 1),
    "intermediate": (3, 5, 2),
    "advanced": (2, 4, 4),
}
"""By level, the weights of short, middling and long thoughts."""


def shape_of(sample: str, kind: QuestionType, difficulty: Difficulty, variation: int, seed: int) -> Shape:
    """The shape of a variation. Variations of one question get different ones, as long as the table has more; which one
    a variation gets does not change with how many there are."""
    names = _order(kind, random.Random(f"{seed}/{sample}/{kind.value}/shapes"))
    chance = random.Random(f"{seed}/{sample}/{kind.value}/{variation}/shape")
    wrong_turn = chance.random() < WRONG_TURN[difficulty]
    noticed = chance.choice(list(NOTICED))
    length = chance.choices(list(LENGTHS), LENGTH_WEIGHTS[difficulty])[0]
    return Shape(
        name=names[variation % len(names)],
        noticed=noticed if wrong_turn else None,
        length=length,
    )


def _order(kind: QuestionType, chance: random.Random) -> list[str]:
    """The shapes that suit a question type in a drawn order, in which heavier ones tend to come first."""
    # Efraimidis and Spirakis (2006): sorted by u^(1/weight), a sample without replacement has these weights.
    keys = {
        name: chance.random() ** (1 / outline.weight(kind)) for name, outline in SHAPES.items() if outline.weight(kind)
    }
    return sorted(keys, key=lambda name: keys[name], reverse=True)
