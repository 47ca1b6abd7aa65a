"""How far raters agree: a judge with people, or judges with each other. Pure functions; None where undefined."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import permutations
from typing import Literal

Level = Literal["nominal", "interval"]


def balanced_accuracy(truth: Sequence[bool | int], said: Sequence[bool | int]) -> float | None:
    """The mean of the share of the true that are said to be true and of the false that are said to be false, 0-1; always
    saying the same gives 0.5, whatever the truth. None where all are true or all are false.

    Brodersen, Ong, Stephan and Buhmann, "The balanced accuracy and its posterior distribution", ICPR 2010, 3121-3124.
    Raises ValueError for lists of unlike length.
    """
    pairs = [(bool(right), bool(answer)) for right, answer in zip(truth, said, strict=True)]
    shares = []
    for wanted in (True, False):
        answers = [answer for right, answer in pairs if right is wanted]
        if not answers:
            return None
        shares.append(sum(answer is wanted for answer in answers) / len(answers))
    return sum(shares) / 2


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Agreement of two raters on categories beyond what their own frequencies give by chance: 1 is perfect, 0 chance.
    None without ratings, or where both always say the same one category.

    Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960), 37-46.
    Raises ValueError for lists of unlike length.
    """
    return _chance_corrected(first, second, lambda one, other: float(one != other))


def weighted_kappa(first: Sequence[float], second: Sequence[float]) -> float | None:
    """As `cohen_kappa` for ratings on a scale (1-10), where a disagreement weighs the square of its size.

    Cohen, "Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit", Psychological
    Bulletin 70 (1968), 213-220. The bounds of the scale need not be known: they cancel out.
    """
    return _chance_corrected(first, second, lambda one, other: (one - other) ** 2)


def _chance_corrected(
    first: Sequence[Hashable], second: Sequence[Hashable], distance: Callable[..., float]
) -> float | None:
    """1 - observed disagreement / disagreement expected of independent raters with the same frequencies."""
    count = len(first)
    observed = sum(distance(one, other) for one, other in zip(first, second, strict=True)) * count
    columns = Counter(second)
    expected = sum(
        distance(one, other) * rows * others
        for one, rows in Counter(first).items()
        for other, others in columns.items()
    )
    return None if expected == 0 else 1 - observed / expected


def krippendorff_alpha(ratings: Sequence[Sequence[float | None]], level: Level = "interval") -> float | None:
    """Agreement of any number of raters, with ratings missing: 1 is perfect, 0 chance, below 0 systematic disagreement.
    `ratings` has a row for each rater and a column for each thing rated. None where fewer than two ratings can be
    compared, or all of those are the same.

    Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), University of Pennsylvania: 1 - observed / expected
    disagreement over the pairable ratings, those of things that two raters or more rated. The distance of two ratings
    is 0 or 1 (nominal), or the square of their difference (interval). Raises ValueError for rows of unlike length.
    """
    columns = [[rating for rating in column if rating is not None] for column in zip(*ratings, strict=True)]
    pairable = [column for column in columns if len(column) > 1]
    pooled = Counter(rating for column in pairable for rating in column)
    count = sum(pooled.values())
    observed = sum(
        sum(_distance(level, one, other) for one, other in permutations(column, 2)) / (len(column) - 1)
        for column in pairable
    )
    expected = sum(
        _distance(level, one, other) * number * others
        for one, number in pooled.items()
        for other, others in pooled.items()
    )
    return None if expected == 0 else 1 - (count - 1) * observed / expected


def _distance(level: Level, one: float, other: float) -> float:
    return float(one != other) if level == "nominal" else (one - other) ** 2
