"""What the arms of the training show: the thought arm beats both others, or it does not.

Rates are chosen crosswise: half of the held-out papers choose each arm's rate for the other half, so that no paper
chooses the rate by which it is measured, and every paper counts.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from statistics import NormalDist, fmean

import numpy as np
from pydantic import BaseModel

from programs.proving.lift import over_papers
from programs.proving.training import TRAINED, ArmName, ArmResult, Course
from programs.statistics.interval import Interval

POWER = 0.8
CONTROLS: tuple[ArmName, ...] = ("answers", "swapped")
"""What the thought arm has to beat."""


class Comparison(BaseModel):
    """By how much the thought arm's loss is below another's, over papers; `papers_needed` would show a difference of that
    size with a power of 0.8, None where the thought arm is not ahead."""

    against: ArmName
    interval: Interval | None
    papers_needed: int | None


class ArmFigures(BaseModel):
    """An arm over its seeds: the loss of reference answers at the chosen rates (and without a thought), and the share of
    questions with options that it answers right, ours and others'."""

    arm: ArmName
    rates: list[float]
    loss: float
    direct: float
    right: float | None
    right_outside: float | None


class Training(BaseModel):
    """Tier 2. `shown` is whether the thought arm beats question-to-answer and swapped thoughts, both intervals above 0;
    `accuracy` compares shares of questions with options in the same way, above 0 where the thought arm has more right."""

    trained_on: int
    held_out: int
    tokens: int
    arms: list[ArmFigures]
    comparisons: list[Comparison]
    accuracy: list[Comparison]
    shown: bool
    verdict: str


def training_result(course: Course, results: Sequence[ArmResult], seed: int) -> Training:
    """What the results of all arms show."""
    papers = {one.id: one.paper for one in course.held}
    chosen = {name: _by_question(name, results, papers, seed) for name in ("untouched", *TRAINED)}
    comparisons = [
        _compared(control, chosen["thoughts"][0], chosen[control][0], papers, seed, -1) for control in CONTROLS
    ]
    shown = all(one.interval is not None and one.interval.low > 0 for one in comparisons)
    places = {one.id: one.paper for one in course.choices}
    right = {name: _right(name, results, chosen[name][2]) for name in chosen}
    ours = [one.id for one in course.choices if one.id in papers]
    return Training(
        trained_on=len({one.paper for one in course.train}),
        held_out=len({*papers.values()}),
        tokens=course.tokens,
        arms=[
            ArmFigures(
                arm=name,
                rates=sorted({*rates}),
                loss=fmean(losses.values()),
                direct=fmean(direct.values()),
                right=fmean(right[name][one] for one in ours) if ours else None,
                right_outside=_mean([share for one, share in right[name].items() if one not in papers]),
            )
            for name, (losses, direct, rates) in chosen.items()
        ],
        comparisons=comparisons,
        accuracy=[_compared(one, right["thoughts"], right[one], places, seed, 1) for one in CONTROLS] if places else [],
        shown=shown,
        verdict=_verdict(shown, comparisons),
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _of(name: ArmName, results: Sequence[ArmResult]) -> dict[float, list[ArmResult]]:
    """An arm's results by rate."""
    found = defaultdict[float, list[ArmResult]](list)
    for one in results:
        if one.name == name:
            found[one.rate].append(one)
    return found


def _by_question(
    name: ArmName, results: Sequence[ArmResult], papers: Mapping[str, str], seed: int
) -> tuple[dict[str, float], dict[str, float], list[float]]:
    """The losses of an arm by question, over its seeds, each at the rate that the other half of the papers chose; the same
    without a thought; and the two rates."""
    shuffled = sorted({*papers.values()})
    Random(seed).shuffle(shuffled)
    first = {*shuffled[::2]}
    halves = [[one for one, paper in papers.items() if (paper in first) == half] for half in (True, False)]
    losses, direct, rates = dict[str, float](), dict[str, float](), list[float]()
    for half, other in (halves, halves[::-1]):
        rated = {
            rate: fmean(one.losses[question] for one in runs for question in other)
            for rate, runs in _of(name, results).items()
        }
        rate = min(rated, key=rated.__getitem__)
        rates.append(rate)
        runs = _of(name, results)[rate]
        losses |= {question: fmean(one.losses[question] for one in runs) for question in half}
        direct |= {question: fmean(one.direct[question] for one in runs) for question in half}
    return losses, direct, rates


def _right(name: ArmName, results: Sequence[ArmResult], rates: Sequence[float]) -> dict[str, float]:
    """How often an arm answers each question with options right, over its seeds and chosen rates."""
    runs = [one for rate in rates for one in _of(name, results)[rate]]
    return {question: fmean(one.choices[question] for one in runs) for question in runs[0].choices}


def _compared(
    against: ArmName,
    thoughts: Mapping[str, float],
    other: Mapping[str, float],
    papers: Mapping[str, str],
    seed: int,
    sign: int,
) -> Comparison:
    values = [(papers[question], sign * (thoughts[question] - other[question])) for question in papers]
    interval = over_papers(values, seed)
    return Comparison(against=against, interval=interval, papers_needed=_papers_needed(values, interval))


def _papers_needed(values: Sequence[tuple[str, float]], interval: Interval | None) -> int | None:
    """How many papers would show a difference of this size, by a paired test's normal approximation (Cohen, Statistical
    Power Analysis for the Behavioral Sciences, 1988)."""
    if interval is None or interval.difference <= 0:
        return None
    sums = defaultdict[str, list[float]](list)
    for paper, value in values:
        sums[paper].append(value)
    typical = len(values) / len(sums)
    off = [(sum(found) - interval.difference * len(found)) / typical for found in sums.values()]
    z = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(POWER)
    return max(2, math.ceil((z * float(np.std(off, ddof=1)) / interval.difference) ** 2))


def _verdict(shown: bool, comparisons: Sequence[Comparison]) -> str:
    if shown:
        return "shown: the student that trained on thoughts beats question-to-answer and swapped thoughts"
    behind = [one.against for one in comparisons if one.papers_needed is None]
    if behind:
        return f"not shown: the thought arm is not ahead of {' and '.join(behind)}, which more papers need not change"
    most = max(one.papers_needed or 0 for one in comparisons)
    return f"not shown: differences of the size found would take about {most} held-out papers"
