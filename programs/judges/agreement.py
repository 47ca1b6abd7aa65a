"""How far raters agree: a judge with people, or judges with each other. Pure functions; None where undefined."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import permutations
from typing import Any, Literal

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
    return _chance_corrected(Counter(zip(first, second, strict=True)), lambda one, other: float(one != other))


def weighted_kappa(first: Sequence[float], second: Sequence[float]) -> float | None:
    """As `cohen_kappa` for ratings on a scale (1-10), where a disagreement weighs the square of its size.

    Cohen, "Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit", Psychological
    Bulletin 70 (1968), 213-220. The bounds of the scale need not be known: they cancel out.
    """
    return weighted_kappa_of(Counter(zip(first, second, strict=True)))


def weighted_kappa_of(pairs: Mapping[tuple[float, float], int]) -> float | None:
    """`weighted_kappa` of two raters of whom it is known how often each pair of ratings came."""
    return _chance_corrected(pairs, lambda one, other: (one - other) ** 2)


def _chance_corrected(pairs: Mapping[tuple[Any, Any], int], distance: Callable[..., float]) -> float | None:
    """1 - observed disagreement / disagreement expected of independent raters with the same frequencies."""
    rows: Counter[Hashable] = Counter()
    columns: Counter[Hashable] = Counter()
    for (one, other), number in pairs.items():
        rows[one] += number
        columns[other] += number
    observed = sum(distance(one, other) * number for (one, other), number in pairs.items()) * rows.total()
    expected = sum(
        distance(one, other) * number * others for one, number in rows.items() for other, others in columns.items()
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
    columns = zip(*ratings, strict=True)
    return krippendorff_alpha_of(Counter(tuple(r for r in column if r is not None) for column in columns), level)


def krippendorff_alpha_of(things: Mapping[tuple[float, ...], int], level: Level = "interval") -> float | None:
    """`krippendorff_alpha` where it is known how many things got the same ratings, in whichever order."""
    pairable = {ratings: number for ratings, number in things.items() if len(ratings) > 1}
    pooled: Counter[float] = Counter()
    observed = 0.0
    for ratings, number in pairable.items():
        for rating in ratings:
            pooled[rating] += number
        pairs = permutations(ratings, 2)
        observed += sum(_distance(level, one, other) for one, other in pairs) / (len(ratings) - 1) * number
    expected = sum(
        _distance(level, one, other) * number * others
        for one, number in pooled.items()
        for other, others in pooled.items()
    )
    return None if expected == 0 else 1 - (pooled.total() - 1) * observed / expected


def _distance(level: Level, one: float, other: float) -> float:
    return float(one != other) if level == "nominal" else (one - other) ** 2
