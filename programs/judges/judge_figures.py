"""How far judges agree with people, and with each other, on answers that people judged. Pure functions.

A verdict is "correct" when its overall rating reaches a threshold. An answer without a verdict is left out of a judge's
figures and counted; intervals are over questions (`programs.judges.question_interval`), with 95% confidence.
"""

from collections.abc import Sequence

from pydantic import BaseModel

from programs.interval import Interval
from programs.judges.agreement import balanced_accuracy, cohen_kappa, weighted_kappa
from programs.judges.labels import Labelled
from programs.judges.question_interval import Pair, balanced_interval, mean_interval


class Estimate(BaseModel):
    """A figure and the bounds between which it lies; None where it is undefined, or too little is known of it."""

    value: float | None
    low: float | None = None
    high: float | None = None


class JudgeFigures(BaseModel):
    """One judge against people, over `scored` answers; `unscored` got no verdict.

    `leniency` is the share that the judge calls correct less the share that people found right; above 0 the judge is the
    milder. `rated` answers have people's ratings from 1 to 10: `bias` is the judge's mean rating less theirs,
    `rating_kappa` Cohen's with quadratic weights. `kappa` is Cohen's on right and wrong.
    """

    scored: int
    unscored: int
    balanced_accuracy: Estimate
    kappa: float | None
    says_correct: float | None
    people_say_correct: float | None
    leniency: Estimate
    rated: int
    bias: Estimate
    rating_kappa: float | None


def figures_of(
    answers: Sequence[Labelled], ratings: Sequence[float | None], *, correct_from: int, seed: int
) -> JudgeFigures:
    """The figures of a judge who gave these overall ratings to these answers (None: no verdict)."""
    scored = [(answer, rating) for answer, rating in zip(answers, ratings, strict=True) if rating is not None]
    truth = [answer.is_right(correct_from) for answer, _ in scored]
    said = [rating >= correct_from for _, rating in scored]
    keys = [answer.question_key for answer, _ in scored]
    both = [(answer.question_key, answer.overall, rating) for answer, rating in scored if answer.overall is not None]
    # From a judge who is always wrong, whose balanced accuracy is 0, it is the whole of it.
    pairs = [Pair(key, right, not right, called) for key, right, called in zip(keys, truth, said, strict=True)]
    milder = [(key, float(called) - right) for key, right, called in zip(keys, truth, said, strict=True)]
    higher = [(key, float(rating - people)) for key, people, rating in both]
    return JudgeFigures(
        scored=len(scored),
        unscored=len(answers) - len(scored),
        balanced_accuracy=_estimate(balanced_accuracy(truth, said), balanced_interval([pairs], seed=seed)),
        kappa=_rounded(cohen_kappa(truth, said)),
        says_correct=_rounded(_mean(said)),
        people_say_correct=_rounded(_mean(truth)),
        leniency=_estimate(_mean([value for _, value in milder]), mean_interval(milder, seed=seed)),
        rated=len(both),
        bias=_estimate(_mean([value for _, value in higher]), mean_interval(higher, seed=seed)),
        rating_kappa=_rounded(weighted_kappa([people for _, people, _ in both], [rating for _, _, rating in both])),
    )


def _estimate(value: float | None, interval: Interval | None) -> Estimate:
    if interval is None:
        return Estimate(value=_rounded(value))
    return Estimate(value=_rounded(value), low=_rounded(interval.low), high=_rounded(interval.high))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
