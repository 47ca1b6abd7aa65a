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
    """The result of tier 2, with numbers of papers and of tokens per arm. `shown`: the thought arm beats both controls."""

    trained_on: int
    held_out: int
    tokens: int
    arms: list[ArmFigures]
    comparisons: list[Comparison]
    shown: bool
    verdict: str


def training_result(plan: TrainingPlan, results: Sequence[ArmResult], seed: int) -> TrainingResult:
    """Compares the arms. The seed determines the halves of the held-out papers and the bootstrap."""
    papers = sorted({example.paper for example in plan.held})
    Random(seed).shuffle(papers)
    first_half = {*papers[::2]}
    arms = list[ArmFigures]()
    figures = dict[ArmName, Mapping[str, Numbers]]()
    for name in dict.fromkeys(result.arm.name for result in results):
        runs = [result for result in results if result.arm.name == name]
        rates = {
            half: _best_rate(runs, [example.id for example in plan.held if (example.paper in first_half) is half])
            for half in (True, False)
        }
        rate_of = {paper: rates[paper not in first_half] for paper in papers}
        figures[name] = _figures_at(runs, plan, rate_of, [*rates.values()])
        means = {figure: float(values.mean()) if values.size else None for figure, values in figures[name].items()}
        arms.append(ArmFigures(arm=name, rates=sorted({*rates.values()}), figures=means))
    papers_of: dict[str, list[str]] = {
        "loss": [example.paper for example in plan.held],
        "right": [choice.paper for choice in plan.choices],
        "right_outside": [choice.paper for choice in plan.outside],
    }
    comparisons = [
        _compare(figure, control, sources, figures["thoughts"][figure] - figures[control][figure], seed)
        for figure, sources in papers_of.items()
        for control in CONTROLS
        if sources
    ]
    by_loss = [comparison for comparison in comparisons if comparison.figure == "loss"]
    return TrainingResult(
        trained_on=len({example.paper for example in plan.train}),
        held_out=len(papers),
        tokens=plan.tokens,
        arms=arms,
        comparisons=comparisons,
        shown=all(comparison.shown for comparison in by_loss),
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
        figures["loss"].append([at[example.paper].losses[example.id] for example in plan.held])
        figures["direct"].append([at[example.paper].direct[example.id] for example in plan.held])
        figures["right"].append([at[choice.paper].choices[choice.id] for choice in plan.choices])
        both = [trained[seed, rate] for rate in rates]
        figures["right_outside"].append([fmean(run.choices[choice.id] for run in both) for choice in plan.outside])
    return {figure: np.array(values, dtype=np.float64) for figure, values in figures.items()}


def _compare(figure: str, against: ArmName, papers: Sequence[str], difference: Numbers, seed: int) -> Comparison:
    """`papers` has each question's paper, `difference` the thought arm's figure minus the other's, by seed and question."""
    better = -difference if figure == "loss" else difference
    values = [*zip(papers, better.mean(axis=0).tolist(), strict=True)]
    interval = interval_by_source(values, seed=seed)
    by_seed = better.mean(axis=1).tolist()
    needed = _papers_needed(values, interval)
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
    worst = min(comparisons, key=lambda one: min(one.by_seed))
    differences = ", ".join(f"{difference:+.3f}" for difference in worst.by_seed)
    return f"not shown: the thought arm is not ahead of {worst.against} with every seed ({differences})"
