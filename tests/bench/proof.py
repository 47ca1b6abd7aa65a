"""How often an interval of the proof lies above 0 although nothing changed (nominally 2.5%), for several distributions of
differences with mean 0, and several numbers of sources.

python -m tests.bench.proof
"""

from collections.abc import Callable

import numpy as np

from programs.statistics.interval import Numbers, interval_of_totals

Draw = Callable[[np.random.Generator, int], Numbers]

DRAWS: dict[str, Draw] = {
    "normal": lambda rng, count: rng.normal(0, 0.3, count),
    "mostly none": lambda rng, count: rng.choice([0, 0, 0, 0.5, -0.5], count),
    "a trace or none": lambda rng, count: rng.choice([0, 0, 0.8, -0.8, 0.02, -0.02], count),
    "rare large gains": lambda rng, count: np.where(rng.random(count) < 0.1, 0.9, -0.1),
    "skewed to gains": lambda rng, count: rng.exponential(0.2, count) - 0.2,
    "skewed to losses": lambda rng, count: 0.2 - rng.exponential(0.2, count),
}


def share_above_0(draw: Draw, sources: int, times: int) -> float:
    """The share of draws with an interval above 0; the random numbers are the same each time."""
    rng, above = np.random.default_rng(1), 0
    for number in range(times):
        totals = np.stack([draw(rng, sources), np.ones(sources)], axis=1)
        found = interval_of_totals(totals, seed=number, resamples=1000)
        above += found is not None and found.low > 0
    return above / times


if __name__ == "__main__":
    for sources in (8, 20, 30, 60):
        for name, draw in DRAWS.items():
            print(f"{sources} sources, {name}: {share_above_0(draw, sources, 1000):.1%}", flush=True)
