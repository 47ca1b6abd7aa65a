"""Whether the thought arm of the training beats both controls. Each half of the held-out papers chooses each arm's rate for
the other half, so that every paper counts and none chooses the rate at which it is measured."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from statistics import NormalDist, fmean

import numpy as np
from pydantic import BaseModel

from programs.proving.training import ArmName, ArmResult, TrainingPlan
from programs.statistics.interval import CONFIDENCE, Interval, Numbers, by_source, interval_by_source

POWER, MIN_SEEDS = 0.8, 2
CONTROLS: tuple[ArmName, ...] = ("answers", "swapped")
"""The arms that the thought arm has to beat."""


class Comparison(BaseModel):
    """By how much the thought arm is better than another. `interval` is over papers, `by_seed` the difference per seed;
    `papers_needed` would show the difference with a power of 0.8 (None: no interval, or the thought arm is not ahead)."""

    figure: str
    against: ArmName
    interval: Interval | None
    by_seed: list[float]
    papers_needed: int | None

    @property
    def shown(self) -> bool:
        """Whether the thought arm is ahead over papers and, to rule out lucky training, with each of several seeds."""
        ahead = self.interval is not None and self.interval.low > 0
        return ahead and len(self.by_seed) >= MIN_SEEDS and min(self.by_seed) > 0


class ArmFigures(BaseModel):
    """The means of an arm over its seeds, at the chosen rates: `loss` of the reference answers, `direct` without a thought,
    and the shares of questions with options answered right, `right` and other people's `right_outside` (None: no such)."""

    arm: ArmName
    rates: list[float]
    figures: dict[str, float | None]


class TrainingResult(BaseModel):
    """The result of tier 2. `shown`: the thought arm has a lower loss than question-to-answer and swapped thoughts."""

    trained_on: int
    held_out: int
    tokens: int
    arms: list[ArmFigures]
    comparisons: list[Comparison]
    shown: bool
    verdict: str


def training_result(plan: TrainingPlan, results: Sequence[ArmResult], seed: int) -> TrainingResult:
    """Compares the arms. The seed determines the halves of the held-out papers and the bootstrap."""
    papers = sorted({one.paper for one in plan.held})
    Random(seed).shuffle(papers)
    first_half, arms, found = {*papers[::2]}, list[ArmFigures](), dict[ArmName, Mapping[str, Numbers]]()
    for name in dict.fromkeys(one.arm.name for one in results):
        runs = [one for one in results if one.arm.name == name]
        rates = {
            half: _best_rate(runs, [one.id for one in plan.held if (one.paper in first_half) is half])
            for half in (True, False)
        }
        rate_of = {paper: rates[paper not in first_half] for paper in papers}
        found[name] = _figures_at(runs, plan, rate_of, [*rates.values()])
        means = {figure: float(values.mean()) if values.size else None for figure, values in found[name].items()}
        arms.append(ArmFigures(arm=name, rates=sorted({*rates.values()}), figures=means))
    asked: dict[str, list[str]] = {
        "loss": [one.paper for one in plan.held],
        "right": [one.paper for one in plan.choices],
        "right_outside": [one.paper for one in plan.outside],
    }
    comparisons = [
        _compare(figure, control, papers_of, found["thoughts"][figure] - found[control][figure], seed)
        for figure, papers_of in asked.items()
        for control in CONTROLS
        if papers_of
    ]
    by_loss = [one for one in comparisons if one.figure == "loss"]
    return TrainingResult(
        trained_on=len({one.paper for one in plan.train}),
        held_out=len(papers),
        tokens=plan.tokens,
        arms=arms,
        comparisons=comparisons,
        shown=all(one.shown for one in by_loss),
        verdict=_verdict(by_loss),
    )


def _best_rate(runs: Sequence[ArmResult], names: Sequence[str]) -> float:
    """The learning rate with the lowest mean loss on these examples, over all seeds."""
    losses = defaultdict[float, list[float]](list)
    for run in runs:
        losses[run.arm.rate] += [run.losses[name] for name in names]
    return min(sorted(losses), key=lambda rate: fmean(losses[rate]))


def _figures_at(
    runs: Sequence[ArmResult], plan: TrainingPlan, rate_of: Mapping[str, float], rates: Sequence[float]
) -> Mapping[str, Numbers]:
    """The figures of an arm by seed and question, each at the rate of its paper. Other people's questions choose no rate,
    and are averaged over both."""
    trained = {(run.arm.seed, run.arm.rate): run for run in runs}
    figures = dict[str, list[list[float]]](loss=[], direct=[], right=[], right_outside=[])
    for seed in sorted({run.arm.seed for run in runs}):
        at = {paper: trained[seed, rate] for paper, rate in rate_of.items()}
        figures["loss"].append([at[one.paper].losses[one.id] for one in plan.held])
        figures["direct"].append([at[one.paper].direct[one.id] for one in plan.held])
        figures["right"].append([at[one.paper].choices[one.id] for one in plan.choices])
        both = [trained[seed, rate] for rate in rates]
        figures["right_outside"].append([fmean(run.choices[one.id] for run in both) for one in plan.outside])
    return {figure: np.array(values, dtype=np.float64) for figure, values in figures.items()}


def _compare(figure: str, against: ArmName, papers: Sequence[str], more: Numbers, seed: int) -> Comparison:
    """`papers` are those of the questions, `more` is the thought arm's figure minus the other's, by seed and question."""
    better = -more if figure == "loss" else more
    values = [*zip(papers, better.mean(axis=0).tolist(), strict=True)]
    interval = interval_by_source(values, seed=seed)
    by_seed, needed = better.mean(axis=1).tolist(), _papers_needed(values, interval)
    return Comparison(figure=figure, against=against, interval=interval, by_seed=by_seed, papers_needed=needed)


def _papers_needed(values: Sequence[tuple[str, float]], interval: Interval | None) -> int | None:
    """How many papers would show a difference of this size, by a paired test's normal approximation (Cohen, Statistical
    Power Analysis for the Behavioral Sciences, 1988); always more than the papers that did not show it."""
    if interval is None or interval.difference <= 0:
        return None
    sums, counts = by_source(values).T
    sd = np.std((sums - interval.difference * counts) / counts.mean(), ddof=1)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) + NormalDist().inv_cdf(POWER)
    return max(2 if interval.low > 0 else interval.pairs + 1, math.ceil((z * float(sd) / interval.difference) ** 2))


def _verdict(comparisons: Sequence[Comparison]) -> str:
    if all(one.shown for one in comparisons):
        return "shown: training on thoughts beats training on question-to-answer and on swapped thoughts"
    if behind := [one.against for one in comparisons if one.papers_needed is None]:
        return f"not shown: the thought arm is not ahead of {' and '.join(behind)}, so more papers may not help"
    if needed := [one.papers_needed or 0 for one in comparisons if one.interval is not None and one.interval.low <= 0]:
        return f"not shown: showing differences of this size would take about {max(needed)} held-out papers"
    if any(len(one.by_seed) < MIN_SEEDS for one in comparisons):
        return f"not shown: fewer than {MIN_SEEDS} --seeds cannot rule out lucky training"
    least = min(comparisons, key=lambda one: min(one.by_seed))
    differences = ", ".join(f"{difference:+.3f}" for difference in least.by_seed)
    return f"not shown: the thought arm is not ahead of {least.against} with every seed ({differences})"
