"""The charts of a report: tables whose cells are drawn as bars. A new one is a new entry in `CHARTS`."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import get_args

from programs.reports.source import ReportedRun
from programs.statistics.counts import Spread
from signatures.question_type import Difficulty

Table = Mapping[str, Mapping[str, float | None]]
"""By row and column; all rows have the same columns. None is what is not known."""

TENTHS = [number / 10 for number in range(11)]
MOST = 14
"""Names that a chart shows: those with the largest numbers."""
LEVELS: tuple[str, ...] = get_args(Difficulty)


@dataclass(frozen=True)
class Chart:
    """`table` gives what a run has in it, and nothing where there is nothing to show. `axis` names its rows."""

    title: str
    about: str
    axis: str
    table: Callable[[ReportedRun], Table]


def charts_of(run: ReportedRun) -> list[tuple[Chart, Table]]:
    """All charts with what the run has in them; those left out that are empty or all zero."""
    drawn = [(chart, chart.table(run)) for chart in CHARTS]
    return [(chart, rows) for chart, rows in drawn if longest(rows)]


def longest(rows: Table) -> float:
    """The largest value of a table, 0 where there is none."""
    return max((value or 0 for row in rows.values() for value in row.values()), default=0)


def named(counts: Mapping[str, float], column: str) -> Table:
    """A row for each of the most frequent names."""
    names = sorted(counts, key=lambda name: (-counts[name], name))[:MOST]
    return {name.replace("_", " "): {column: counts[name]} for name in names}


def _in_tenths(columns: Mapping[str, Sequence[int]]) -> Table:
    """A row for each tenth, from its lower end up to below its upper, without empty ones at both ends."""
    filled = [place for place, counts in enumerate(zip(*columns.values(), strict=True)) if any(counts)]
    bins = list(enumerate(pairwise(TENTHS)))[min(filled, default=0) : max(filled, default=-1) + 1]
    return {f"{low:g}–{high:g}": {name: columns[name][place] for name in columns} for place, (low, high) in bins}


def _with_missing(rows: Table, columns: Mapping[str, Spread]) -> Table:
    missing = {name: spread.missing for name, spread in columns.items()}
    return {**rows, "not known": missing} if any(missing.values()) else rows


def _grades(run: ReportedRun) -> Table:
    spreads = {name.replace("_", " "): spread for name, spread in run.counts.grades.items()}
    if not any(spread.known for spread in spreads.values()):
        return {}
    return _with_missing(_in_tenths({name: spread.in_bins(TENTHS) for name, spread in spreads.items()}), spreads)


def _ratings(run: ReportedRun) -> Table:
    judges = dict(sorted(run.counts.agreement.judges.items()))
    rows = {str(point): {name: judge.counts[point] for name, judge in judges.items()} for point in range(1, 11)}
    return _with_missing(rows, judges)


def _types(run: ReportedRun) -> Table:
    found, sums = run.counts.types, Counter[str]()
    for (kind, _), number in found.items():
        sums[kind] += number
    levels = sorted({level for _, level in found}, key=lambda level: ([*LEVELS, level].index(level), level))
    return {kind: {level: found[kind, level] for level in levels} for kind, _ in sums.most_common(MOST)}


def _kinds(run: ReportedRun) -> Table:
    if (said := run.thoughts) is None:
        return {}
    of_all = sum(count.paragraphs for count in said.kinds.values())
    return {
        kind.replace("_", " "): {
            "of paragraphs": round(100 * count.paragraphs / of_all, 1),
            "of thoughts": round(100 * count.traces / said.traces, 1),
        }
        for kind, count in list(said.kinds.items())[:MOST]
    }


def _steps(run: ReportedRun) -> Table:
    found = run.counts.steps
    statuses = sorted({status for _, status in found if status}, reverse=True)
    return {
        kind.replace("_", " "): {status or "not judged": found[kind, status] for status in (*statuses, None)}
        for kind, _ in (found if statuses else ())
    }


def _tokens(run: ReportedRun) -> Table:
    sums = defaultdict[str, Counter[str]](Counter)
    for row in run.spent:
        sums[row["stage"]].update(read=row["prompt"], written=row["completion"], uncounted=row["uncounted"])
    stages = sorted(sums, key=lambda stage: -sums[stage]["read"] - sums[stage]["written"])[:MOST]
    return {
        stage: {name: None if sums[stage]["uncounted"] else sums[stage][name] for name in ("read", "written")}
        for stage in stages
    }


CHARTS = [
    Chart("Question types by difficulty", "Accepted traces.", "type", _types),
    Chart(
        "Shapes of thoughts",
        "How the thoughts of accepted traces were to go.",
        "shape",
        lambda run: named(run.thoughts.shapes if run.thoughts else {}, "traces"),
    ),
    Chart(
        "Openings of thoughts",
        "The first three words of accepted thoughts, the most frequent ones. What many have in common is copied.",
        "first words",
        lambda run: named(run.thoughts.openings if run.thoughts else {}, "traces"),
    ),
    Chart(
        "Kinds of paragraphs",
        "The share (%) of all paragraphs that are of a kind, and of thoughts that have one, in accepted traces.",
        "kind",
        _kinds,
    ),
    Chart(
        "Place of corrections",
        "Where in accepted thoughts something is taken back: the share of the words that stand before it.",
        "place (0-1)",
        lambda run: _in_tenths({"corrections": run.thoughts.corrections}) if run.thoughts else {},
    ),
    Chart(
        "What carries the steps",
        "Steps of accepted thoughts, by what a model says that the passage says of them. Wrong ones are meant to be.",
        "kind",
        _steps,
    ),
    Chart(
        "Ratings by judge",
        "Overall ratings as given, of all judged traces, those turned down included.",
        "rating",
        _ratings,
    ),
    Chart("Grades", "Of the answers of accepted traces.", "grade (0-1)", _grades),
    Chart("Tokens by stage", "Tokens of all runs by stage, as the servers count them.", "stage", _tokens),
]
