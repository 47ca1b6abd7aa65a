"""The proof for judges: how far they agree with people and with each other, before and after, on held-out questions.

A verdict is "correct" when its overall rating reaches a threshold. A judge that gave no verdict said nothing about an
answer: it is left out of every figure, and counted. What is compared before and after is measured on the answers that a
judge rated both times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pydantic import BaseModel

from optimize.proof import Compared, proves_gain
from programs.judges.agreement import balanced_accuracy, cohen_kappa, krippendorff_alpha, weighted_kappa
from programs.judges.labels import Labelled
from programs.judges.question_interval import Pair, balanced_interval

Ratings = Mapping[str, Sequence[int | None]]
"""By judge: the overall rating of every answer, 1-10, in the answers' order; None where it gave no verdict."""


class Agreement(BaseModel):
    """One judge at one time. `kappa` is Cohen's on right and wrong, `rating_kappa` the quadratic-weighted one with
    people's ratings (None without such), `says_correct` its share of answers called correct, `unscored` how many
    answers got no verdict."""

    kappa: float | None
    rating_kappa: float | None
    says_correct: float | None
    unscored: int


class JudgeCompared(BaseModel):
    """A judge before and after. `balanced_accuracy.pairs` counts the answers it rated both times, of which people found
    the share `people_say_correct` right."""

    balanced_accuracy: Compared
    people_say_correct: float | None
    before: Agreement
    after: Agreement


class Between(BaseModel):
    """Two judges at one time, over the answers that both rated: Cohen's kappa on right and wrong, the quadratic-weighted
    kappa on the overall rating."""

    answers: int
    kappa: float | None
    rating_kappa: float | None


class BetweenCompared(BaseModel):
    """The same before and after."""

    before: Between
    after: Between


class JudgeProof(BaseModel):
    """`people_say_correct` is the share of all test answers that people found right. `balanced_accuracy` is the mean over
    the judges, `between` is by pair ("A and B"), `alpha` Krippendorff's of the overall ratings of all judges."""

    correct_from: int
    answers: int
    questions: int
    people_say_correct: float
    balanced_accuracy: Compared
    judges: dict[str, JudgeCompared]
    between: dict[str, BetweenCompared]
    alpha_before: float | None
    alpha_after: float | None

    @property
    def improved(self) -> bool:
        """Whether the interval of the difference in the mean balanced accuracy lies above 0, over questions enough."""
        interval = self.balanced_accuracy.interval
        return interval is not None and proves_gain(interval, self.questions)


@dataclass(frozen=True)
class _Rated:
    """An answer that a judge rated both times."""

    answer: Labelled
    right: bool
    before: int
    after: int


def prove_judges(
    answers: Sequence[Labelled], before: Ratings, after: Ratings, *, correct_from: int, seed: int
) -> JudgeProof:
    """Compares the judges' ratings of the same answers before and after."""
    rated = {judge: _rated(answers, before[judge], after[judge], correct_from) for judge in before}
    judges = {
        judge: _compared(some, (before[judge], after[judge]), correct_from, seed) for judge, some in rated.items()
    }
    return JudgeProof(
        correct_from=correct_from,
        answers=len(answers),
        questions=len({answer.question_key for answer in answers}),
        people_say_correct=sum(answer.is_right(correct_from) for answer in answers) / len(answers),
        balanced_accuracy=_mean(judges, [_pairs(some, correct_from) for some in rated.values()], seed),
        judges=judges,
        between={
            f"{one} and {other}": BetweenCompared(
                before=_between(before[one], before[other], correct_from),
                after=_between(after[one], after[other], correct_from),
            )
            for one, other in combinations(before, 2)
        },
        alpha_before=krippendorff_alpha(list(before.values())),
        alpha_after=krippendorff_alpha(list(after.values())),
    )


def _rated(
    answers: Sequence[Labelled], before: Sequence[int | None], after: Sequence[int | None], correct_from: int
) -> list[_Rated]:
    return [
        _Rated(answer, answer.is_right(correct_from), old, new)
        for answer, old, new in zip(answers, before, after, strict=True)
        if old is not None and new is not None
    ]


def _pairs(rated: Sequence[_Rated], correct_from: int) -> list[Pair]:
    return [
        Pair(one.answer.question_key, one.right, one.before >= correct_from, one.after >= correct_from) for one in rated
    ]


def _compared(
    rated: Sequence[_Rated], ratings: tuple[Sequence[int | None], Sequence[int | None]], correct_from: int, seed: int
) -> JudgeCompared:
    pairs = _pairs(rated, correct_from)
    truth = [pair.truth for pair in pairs]
    return JudgeCompared(
        balanced_accuracy=Compared(
            before=balanced_accuracy(truth, [pair.before for pair in pairs]),
            after=balanced_accuracy(truth, [pair.after for pair in pairs]),
            pairs=len(pairs),
            interval=balanced_interval([pairs], seed=seed),
        ),
        people_say_correct=_share(truth),
        before=_agreement(rated, [one.before for one in rated], ratings[0], correct_from),
        after=_agreement(rated, [one.after for one in rated], ratings[1], correct_from),
    )


def _agreement(
    rated: Sequence[_Rated], overall: Sequence[int], ratings: Sequence[int | None], correct_from: int
) -> Agreement:
    said = [number >= correct_from for number in overall]
    both = [(one.answer.overall, number) for one, number in zip(rated, overall, strict=True)]
    known = [(people, number) for people, number in both if people is not None]
    return Agreement(
        kappa=cohen_kappa([one.right for one in rated], said),
        rating_kappa=weighted_kappa([people for people, _ in known], [number for _, number in known]),
        says_correct=_share(said),
        unscored=sum(rating is None for rating in ratings),
    )


def _mean(judges: Mapping[str, JudgeCompared], pairs: Sequence[Sequence[Pair]], seed: int) -> Compared:
    """The mean over the judges; None where one of them has none."""
    figures = [judge.balanced_accuracy for judge in judges.values()]
    return Compared(
        before=_mean_of([figure.before for figure in figures]),
        after=_mean_of([figure.after for figure in figures]),
        pairs=sum(figure.pairs for figure in figures),
        interval=balanced_interval(pairs, seed=seed),
    )


def _mean_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _between(one: Sequence[int | None], other: Sequence[int | None], correct_from: int) -> Between:
    both = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    first, second = [a for a, _ in both], [b for _, b in both]
    return Between(
        answers=len(both),
        kappa=cohen_kappa([a >= correct_from for a in first], [b >= correct_from for b in second]),
        rating_kappa=weighted_kappa(first, second),
    )


def _share(said: Sequence[bool]) -> float | None:
    return sum(said) / len(said) if said else None
