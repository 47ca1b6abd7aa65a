"""How far judges agree with people on answers that people judged, and how sure that is: what a calibration reports.

A verdict is "correct" when its overall rating reaches a threshold. An answer without a verdict is left out of a judge's
figures and counted. Intervals are of 95%, over questions: answers to one question are not independent.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import BaseModel

from programs.document_metadata import JudgeAgreement
from programs.judges.agreement import (
    AgreementCount,
    agreement_in_words,
    balanced_accuracy,
    rounded,
    shown,
    weighted_kappa,
)
from programs.judges.labels import Labelled
from programs.records import Verdict
from programs.statistics.interval import RESAMPLES, Interval, Numbers, interval_of, mean_of

if TYPE_CHECKING:
    from programs.calibrate import CalibrateSettings


class Pair(NamedTuple):
    """What people said of an answer to a question, and what a judge said of it before and after."""

    question: str
    truth: bool
    before: bool
    after: bool


def balanced_interval(judges: Sequence[Sequence[Pair]], *, seed: int, resamples: int = RESAMPLES) -> Interval | None:
    """The interval of the difference in balanced accuracy (after - before), the mean over the judges, for all of whom the
    same questions are drawn. `pairs` of the result counts questions. None with fewer than two questions, without judges,
    or where a judge has no right or no wrong answers."""
    place = _places(pair.question for pairs in judges for pair in pairs)
    totals = np.zeros((len(place), len(judges), 2, 3))
    for judge, pairs in enumerate(judges):
        for pair in pairs:
            agreed = (1, pair.before == pair.truth, pair.after == pair.truth)
            totals[place[pair.question], judge, int(pair.truth)] += agreed

    def difference(sums: Numbers) -> Numbers:
        accuracy = (sums[..., 1:] / sums[..., :1]).mean(axis=(-3, -2))
        return np.asarray(accuracy[..., 1] - accuracy[..., 0])

    return interval_of(totals, difference, seed=seed, resamples=resamples) if judges else None


def _places(questions: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(questions)))}


class Estimate(BaseModel):
    """A figure and the bounds between which it lies; None where it is undefined, or too little is known of it."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, value: float | None, interval: Interval | None) -> "Estimate":
        if interval is None:
            return cls(value=rounded(value))
        return cls(value=rounded(value), low=rounded(interval.low), high=rounded(interval.high))

    @classmethod
    def of_mean(cls, values: Sequence[tuple[str, float]], seed: int) -> "Estimate":
        """The mean of numbers that each belong to a question, with an interval over the questions."""
        place = _places(question for question, _ in values)
        totals = np.zeros((len(place), 2))
        for question, value in values:
            totals[place[question]] += (value, 1)
        return cls.of(_mean([value for _, value in values]), interval_of(totals, mean_of, seed=seed))

    def words(self, sign: str = "") -> str:
        value, low, high = (shown(number, sign=sign) for number in (self.value, self.low, self.high))
        return value if self.value is None or self.low is None else f"{value} ({low} to {high})"


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


class CalibrationReport(BaseModel):
    """Everything that was measured. `correct_from` is the overall rating from which on a verdict says "correct"; `rated`
    of the answers have people's ratings, `bare` came without a thought, whose judgement is then not measured."""

    labels: list[str]
    correct_from: int
    answers: int
    questions: int
    rated: int
    bare: int
    judges: dict[str, JudgeFigures]
    between: JudgeAgreement | None


def report_of(
    settings: "CalibrateSettings", answers: Sequence[Labelled], verdicts: Mapping[str, Sequence[Verdict]]
) -> CalibrationReport:
    """The report, from every judge's verdicts on the answers, in their order."""
    count = AgreementCount()
    for one in zip(*verdicts.values(), strict=True):
        count.add([verdict.model_dump() for verdict in one])
    return CalibrationReport(
        labels=settings.labels,
        correct_from=settings.judged_correct_from,
        answers=len(answers),
        questions=len({answer.question_key for answer in answers}),
        rated=sum(answer.overall is not None for answer in answers),
        bare=sum(answer.thought is None for answer in answers),
        judges={
            name: _figures(answers, [verdict.overall for verdict in said], settings.judged_correct_from, settings.seed)
            for name, said in verdicts.items()
        },
        between=count.result(),
    )


def _figures(
    answers: Sequence[Labelled], ratings: Sequence[float | None], correct_from: int, seed: int
) -> JudgeFigures:
    """The figures of a judge who gave these overall ratings to these answers (None: no verdict)."""
    scored = [(answer, rating) for answer, rating in zip(answers, ratings, strict=True) if rating is not None]
    keys = [answer.question_key for answer, _ in scored]
    truth = [answer.is_right(correct_from) for answer, _ in scored]
    said = [rating >= correct_from for _, rating in scored]
    both = [(answer.question_key, answer.overall, rating) for answer, rating in scored if answer.overall is not None]
    # From a judge who is always wrong, whose balanced accuracy is 0, it is the whole of it.
    pairs = [Pair(key, right, not right, called) for key, right, called in zip(keys, truth, said, strict=True)]
    milder = [(key, float(called) - right) for key, right, called in zip(keys, truth, said, strict=True)]
    higher = [(key, float(rating - people)) for key, people, rating in both]
    return JudgeFigures(
        scored=len(scored),
        unscored=len(answers) - len(scored),
        balanced_accuracy=Estimate.of(balanced_accuracy(truth, said), balanced_interval([pairs], seed=seed)),
        kappa=rounded(weighted_kappa(truth, said)),
        says_correct=rounded(_mean(said)),
        people_say_correct=rounded(_mean(truth)),
        leniency=Estimate.of_mean(milder, seed),
        rated=len(both),
        bias=Estimate.of_mean(higher, seed),
        rating_kappa=rounded(weighted_kappa([people for _, people, _ in both], [rating for _, _, rating in both])),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def in_words(report: CalibrationReport) -> list[str]:
    """The report for a person, a line for each figure."""
    lines = [
        f"people judged {report.answers} answers to {report.questions} questions; a judge says correct from "
        f"{report.correct_from} of 10 on"
    ]
    for name, judge in report.judges.items():
        share, peoples = shown(judge.says_correct), shown(judge.people_say_correct)
        lines += [
            f"{name}: {judge.scored} verdicts, {judge.unscored} answers without one",
            f"  balanced accuracy {judge.balanced_accuracy.words()}, kappa {shown(judge.kappa)} (always saying the same: "
            "0.500 and 0)",
            f"  leniency {judge.leniency.words('+')}: calls {share} correct, people {peoples}",
        ]
        if judge.rated:
            bias, kappa = judge.bias.words("+"), shown(judge.rating_kappa)
            lines.append(f"  bias {bias}: its ratings less people's, over {judge.rated}; weighted kappa {kappa}")
    if report.between and report.between.pairs:
        lines.append(agreement_in_words(report.between))
    if report.bare:
        lines.append(f"{report.bare} answers came without a thought: how judges rate thoughts was not measured on them")
    return lines
