"""How often an interval of the proof lies above 0 though nothing changed (2.5% is meant), by draws of differences whose
mean is 0, and by how many sources.

python -m tests.bench.proof
"""

from collections.abc import Callable

import numpy as np

from programs.statistics.interval import Numbers, interval_of_totals

Draw = Callable[[np.random.Generator, int], Numbers]

DRAWS: dict[str, Draw] = {
    "normal": lambda dice, count: dice.normal(0, 0.3, count),
    "mostly none": lambda dice, count: dice.choice([0, 0, 0, 0.5, -0.5], count),
    "a trace or none": lambda dice, count: dice.choice([0, 0, 0.8, -0.8, 0.02, -0.02], count),
    "rare large gains": lambda dice, count: np.where(dice.random(count) < 0.1, 0.9, -0.1),
    "skewed to gains": lambda dice, count: dice.exponential(0.2, count) - 0.2,
    "skewed to losses": lambda dice, count: 0.2 - dice.exponential(0.2, count),
}


def called_better(draw: Draw, sources: int, times: int) -> float:
    """The share of draws with an interval above 0; the dice are the same each time."""
    dice, better = np.random.default_rng(1), 0
    for number in range(times):
        totals = np.stack([draw(dice, sources), np.ones(sources)], axis=1)
        found = interval_of_totals(totals, seed=number, resamples=1000)
        better += found is not None and found.low > 0
    return better / times


if __name__ == "__main__":
    for sources in (8, 20, 30, 60):
        for name, draw in DRAWS.items():
            print(f"{sources} sources, {name}: {called_better(draw, sources, 1000):.1%}", flush=True)
