"""How far judges agree with people on answers that people judged, and how sure that is: what a calibration reports.

A verdict is "correct" when its overall rating reaches a threshold. An answer without a verdict is left out of a judge's
figures and counted. Intervals are of 95%, over questions: answers to one question are not independent.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel

from programs.document_metadata import JudgeAgreement
from programs.judges.agreement import (
    AgreementCount,
    agreement_in_words,
    rounded,
    shown,
    weighted_kappa,
)
from programs.judges.labels import Labelled
from programs.records import Verdict
from programs.statistics.interval import interval_of, mean_of, share_bounds


class Estimate(BaseModel):
    """A figure and the bounds between which it lies; None where it is undefined, or too little is known of it."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of_mean(cls, values: Sequence[tuple[str, float]], seed: int) -> "Estimate":
        """The mean of numbers that each belong to a question. Numbers that are all alike tell no bounds."""
        if not values:
            return cls()
        sums = {question: np.zeros(2) for question, _ in values}
        for question, value in values:
            sums[question] += (value, 1)
        found = interval_of(np.array([sums[question] for question in sorted(sums)]), mean_of, seed=seed)
        mean = rounded(sum(value for _, value in values) / len(values))
        if found is None or found.low == found.high:
            return cls(value=mean)
        return cls(value=mean, low=rounded(found.low), high=rounded(found.high))

    @classmethod
    def of_shares(cls, agreed: Mapping[bool, Sequence[tuple[str, bool]]]) -> "Estimate":
        """The mean of two shares: of the answers of either kind, each with its question, those that the judge calls what
        they are. None where a kind is lacking.

        Each share has Wilson's bounds, as if it were of so many answers as there are questions; those of the mean are
        combined from their distances (Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10).
        """
        if not all(agreed.values()):
            return cls()
        shares = [sum(right for _, right in some) / len(some) for some in agreed.values()]
        questions = [len({question for question, _ in some}) for some in agreed.values()]
        bounds = [share_bounds(share, count) for share, count in zip(shares, questions, strict=True)]
        mean = sum(shares) / len(shares)
        below, above = (
            sum((share - each[side]) ** 2 for share, each in zip(shares, bounds, strict=True)) ** 0.5 / len(shares)
            for side in (0, 1)
        )
        return cls(value=rounded(mean), low=rounded(mean - below), high=rounded(mean + above))

    def words(self, sign: str = "") -> str:
        value, low, high = (shown(number, sign=sign) for number in (self.value, self.low, self.high))
        return value if self.low is None else f"{value} ({low} to {high})"


class JudgeFigures(BaseModel):
    """One judge against people, over `scored` answers; `unscored` got no verdict.

    `balanced_accuracy` is the mean of the share of the right answers that the judge calls correct and of the wrong ones
    that it does not (Brodersen and others, ICPR 2010, 3121-3124): always saying the same gives 0.5. `kappa` is Cohen's on
    right and wrong. `ratings` of the answers have people's from 1 to 10 too: `bias` is the judge's mean rating less theirs,
    `rating_kappa` Cohen's with quadratic weights.
    """

    scored: int
    unscored: int
    balanced_accuracy: Estimate
    kappa: float | None
    says_correct: float | None
    people_say_correct: float | None
    ratings: int
    bias: float | None
    bias_interval: tuple[float, float] | None
    rating_kappa: float | None


class CalibrationReport(BaseModel):
    """What a calibration found; it holds what a `programs.traces.verdicts.Calibration` holds. `between` is the agreement of
    the judges with each other, None with a single one. `rated` of the answers have people's ratings, `bare` came without a
    thought, whose judgement is then not measured."""

    labels: list[str]
    prompt: str
    correct_from: int
    answers: int
    questions: int
    rated: int
    bare: int
    judges: dict[str, JudgeFigures]
    between: JudgeAgreement | None


def report_of(
    labels: list[str],
    prompt: str,
    answers: Sequence[Labelled],
    verdicts: Mapping[str, Sequence[Verdict]],
    correct_from: int,
    seed: int,
) -> CalibrationReport:
    """The report, from every judge's verdicts on the answers, in their order."""
    count = AgreementCount()
    for one in zip(*verdicts.values(), strict=True):
        count.add([verdict.model_dump() for verdict in one])
    return CalibrationReport(
        labels=labels,
        prompt=prompt,
        correct_from=correct_from,
        answers=len(answers),
        questions=len({answer.question_key for answer in answers}),
        rated=sum(answer.overall is not None for answer in answers),
        bare=sum(answer.thought is None for answer in answers),
        judges={
            name: figures_of(answers, [verdict.overall for verdict in said], correct_from, seed)
            for name, said in verdicts.items()
        },
        between=count.result(),
    )


def figures_of(
    answers: Sequence[Labelled], ratings: Sequence[float | None], correct_from: int, seed: int
) -> JudgeFigures:
    """The figures of a judge who gave these overall ratings to these answers (None: no verdict)."""
    scored = [(answer, rating) for answer, rating in zip(answers, ratings, strict=True) if rating is not None]
    truth = [answer.is_right(correct_from) for answer, _ in scored]
    said = [rating >= correct_from for _, rating in scored]
    both = [(answer.question_key, answer.overall, rating) for answer, rating in scored if answer.overall is not None]
    agreed: dict[bool, list[tuple[str, bool]]] = {True: [], False: []}
    for (answer, _), right, called in zip(scored, truth, said, strict=True):
        agreed[right].append((answer.question_key, called == right))
    bias = Estimate.of_mean([(key, float(rating - people)) for key, people, rating in both], seed)
    return JudgeFigures(
        scored=len(scored),
        unscored=len(answers) - len(scored),
        balanced_accuracy=Estimate.of_shares(agreed),
        kappa=rounded(weighted_kappa(truth, said)),
        says_correct=rounded(sum(said) / len(said)) if said else None,
        people_say_correct=rounded(sum(truth) / len(truth)) if truth else None,
        ratings=len(both),
        bias=bias.value,
        bias_interval=None if bias.low is None or bias.high is None else (bias.low, bias.high),
        rating_kappa=rounded(weighted_kappa([people for _, people, _ in both], [rating for _, _, rating in both])),
    )


def in_words(report: CalibrationReport) -> list[str]:
    """The report for a person, a line for each figure."""
    lines = [
        f"people judged {report.answers} answers to {report.questions} questions; a judge says correct from "
        f"{report.correct_from} of 10 on"
    ]
    for name, judge in report.judges.items():
        lines += [
            f"{name}: {judge.scored} verdicts, {judge.unscored} answers without one",
            f"  balanced accuracy {judge.balanced_accuracy.words()}, kappa {shown(judge.kappa)} (always saying the same: "
            "0.500 and 0)",
            f"  calls {shown(judge.says_correct)} correct, people {shown(judge.people_say_correct)}",
        ]
        if judge.ratings:
            low, high = judge.bias_interval or (None, None)
            bias, kappa = Estimate(value=judge.bias, low=low, high=high).words("+"), shown(judge.rating_kappa)
            lines.append(f"  bias {bias}: its ratings less people's, over {judge.ratings}; weighted kappa {kappa}")
    if report.between and report.between.pairs:
        lines.append(agreement_in_words(report.between))
    if report.bare:
        lines.append(f"{report.bare} answers came without a thought: how judges rate thoughts was not measured on them")
    return lines
