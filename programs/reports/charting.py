"""From what was counted of one run, or of two, to a chart. With two runs a chart has both, in shares of 100 where they may
differ in size: one series for each, or a panel for each where they have several."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from programs.reports.chart import COLOURS, Chart, Form, Panel, Series
from programs.reports.reading import Reading
from programs.reports.statistics import Number

Run = Sequence[Series]
"""What one run has in a chart."""

MOST = 14
"""Names that a chart shows: those with the largest numbers."""


def chart_of(
    readings: Sequence[Reading],
    title: str,
    about: str,
    axes: tuple[str, str],
    categories: Sequence[str],
    runs: Sequence[Run],
    form: Form = "columns",
    *,
    share: bool = True,
    colours: Sequence[str] = COLOURS,
) -> Chart | None:
    """A chart of these series, or None where nothing was counted. `axes` name the categories and what is counted; with
    `share` two runs are compared in shares."""
    if not any(number for run in runs for series in run for number in series.values):
        return None
    category, value = axes
    together = len(runs) > 1
    percent = together and share
    shown = [_shares(run) if percent else run for run in runs]
    names = [reading.name for reading in readings]
    if together and all(len(run) == 1 for run in shown):
        panels = [Panel([Series(name, run[0].values) for name, run in zip(names, shown, strict=True)])]
    else:
        panels = [Panel(run, name if together else None) for name, run in zip(names, shown, strict=True)]
    label = f"% of {value}" if percent else value
    return Chart(title, about, category, label, categories, panels, form, percent, int(percent), colours)


def binned(readings: Sequence[Reading], number: Number, name: str) -> Chart | None:
    """How a number is distributed over the accepted traces; says how many have none."""
    spreads = [reading.counted.numbers[name] for reading in readings]
    if not any(spread.known for spread in spreads):
        return None
    edges = number.edges or nice_edges(value for spread in spreads for value in spread.counts)
    runs = [[Series("traces", spread.in_bins(edges))] for spread in spreads]
    about = number.about + lacking((reading.name, reading.counted.numbers[name].missing) for reading in readings)
    return chart_of(readings, number.title, about, (number.axis, "traces"), bins(edges), runs)


def bins(edges: Sequence[float]) -> list[str]:
    """Names of the bins: from where, up to below which value; the last one has its end as well."""
    return [f"{low:g}–{high:g}" for low, high in pairwise(edges)]


def nice_edges(values: Iterable[float], least: int = 5, most: int = 12) -> list[float]:
    """Round ends of `least` to about `most` bins of one width, 1 or more, that hold all these values."""
    known = sorted(values) or [0.0]
    low, high = known[0], known[-1]
    widths = (width * 10**power for power in range(12) for width in (1, 2, 5))
    step = next(width for width in widths if (high - low) / width <= most)
    first, last = int(low // step), int(high // step) + 1
    missing = max(0, least - (last - first))
    first = max(0, first - missing // 2)
    last = max(last, first + least)
    return [float(number * step) for number in range(first, last + 1)]


def lacking(missing: Iterable[tuple[str, int]]) -> str:
    """How many are not known, in words."""
    named = [f"{count:,} of {name}" for name, count in missing if count]
    return f" Not known: {', '.join(named)}." if named else ""


def largest(counts: Counter[str]) -> list[str]:
    """The names with the largest numbers, those first."""
    return [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST]]


def _shares(run: Run) -> Run:
    total = sum(value or 0 for series in run for value in series.values)
    return [
        Series(series.name, [None if value is None or not total else 100 * value / total for value in series.values])
        for series in run
    ]
