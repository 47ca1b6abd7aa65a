"""The charts of a report: tables whose cells are drawn as bars. A new one is a new entry in `CHARTS`."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from programs.records import Grades, Record
from programs.statistics.counts import OTHERS
from programs.statistics.thought_counts import corrections_of, opening_of
from signatures.question_type import Difficulty

Cell = tuple[str, str]
Table = Mapping[str, Mapping[str, float | None]]
"""By row and column; all rows have the same columns. None is what is not known."""

NOT_KNOWN = "not known"
TENTHS = tuple(f"{number / 10:g}–{(number + 1) / 10:g}" for number in range(10))
SHOWN = 14
"""The most rows of a chart that does not name its rows."""
KEPT = 20_000
"""Different cells that are counted apart, so that memory does not grow with them; what is frequent comes early."""


@dataclass(frozen=True)
class Chart:
    """`cells` are those that a trace counts in, each as often as it is named: accepted traces, or with `judged` all. `axis`
    says what rows are: those of `rows`, in order, without empty ones at both ends, or else the most frequent ones; what is
    not known stands last. Columns stand in the order of `columns`, others behind them."""

    title: str
    about: str
    axis: str
    cells: Callable[[Record], Iterable[Cell]]
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    judged: bool = False

    def count(self, record: Record, counts: Counter[Cell]) -> None:
        for cell in self.cells(record):
            counts[cell if cell in counts or len(counts) < KEPT else (OTHERS, OTHERS)] += 1

    def table(self, counts: Counter[Cell]) -> Table:
        sums = Counter[str]()
        for (row, _), count in counts.items():
            sums[row] += count
        filled = [place for place, row in enumerate(self.rows) if sums[row]] or [0]
        frequent = sorted(sums.keys() - {OTHERS, NOT_KNOWN}, key=lambda row: (-sums[row], row))
        rows = [*(self.rows[filled[0] : filled[-1] + 1] or frequent[:SHOWN]), *({NOT_KNOWN} & sums.keys())]
        found = sorted({column for _, column in counts} - {OTHERS})
        columns = dict.fromkeys(name for name in (*self.columns, *found) if name in found)
        return {_words(row): {_words(column): counts[row, column] for column in columns} for row in rows}


def charts_of(counted: Sequence[Counter[Cell]], spent: Sequence[Mapping[str, Any]]) -> list[tuple[Chart, Table]]:
    """All charts that are not empty, of the counts of `CHARTS` and of what was spent by stage and model."""
    tables = [(chart, chart.table(counts)) for chart, counts in zip(CHARTS, counted, strict=True)]
    return [(chart, table) for chart, table in (*tables, (_TOKENS, _tokens(spent))) if longest(table)]


def longest(rows: Table) -> float:
    return max((value or 0 for row in rows.values() for value in row.values()), default=0)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _tenth(value: float | None) -> str:
    return NOT_KNOWN if value is None else TENTHS[min(int(10 * value), 9)]


def _types(record: Record) -> list[Cell]:
    return [(record.user_interaction.question_type, record.user_interaction.difficulty_level)]


def _kinds(record: Record) -> Iterator[Cell]:
    kinds = [step.kind for step in record.steps if step.kind]
    yield from ((kind, "paragraphs") for kind in kinds)
    yield from ((kind, "thoughts") for kind in {*kinds})


def _steps(record: Record) -> Iterator[Cell]:
    if any(step.status for step in record.steps):
        yield from ((step.kind, step.status or "not judged") for step in record.steps if step.kind)


def _grades(record: Record) -> Iterator[Cell]:
    if record.answer_grades:
        yield from ((_tenth(getattr(record.answer_grades, name)), name) for name in _GRADES)


def _tokens(spent: Sequence[Mapping[str, Any]]) -> Table:
    stages = defaultdict[str, Counter[str]](Counter)
    for row in spent:
        stages[row["stage"]].update(read=row["prompt"], written=row["completion"], uncounted=row["uncounted"])
    most = sorted(stages.items(), key=lambda stage: -stage[1]["read"] - stage[1]["written"])[:SHOWN]
    return {
        _words(stage): {name: None if sums["uncounted"] else sums[name] for name in ("read", "written")}
        for stage, sums in most
    }


_GRADES = [name for name in Grades.model_fields if name != "reason"]
_TOKENS = Chart("Tokens by stage", "Tokens of all runs by stage, as the servers count them.", "stage", lambda _: [])

CHARTS = [
    Chart("Question types by difficulty", "Accepted traces.", "type", _types, columns=get_args(Difficulty)),
    Chart(
        "Shapes of thoughts",
        "How the thoughts of accepted traces were to go.",
        "shape",
        lambda record: [(record.shape.name, "traces")] if record.shape else [],
    ),
    Chart(
        "Openings of thoughts",
        "The first three words of accepted thoughts, the most frequent ones. What many have in common is copied.",
        "first words",
        lambda record: [(opening_of(record), "traces")],
    ),
    Chart(
        "Kinds of paragraphs",
        "How many paragraphs of accepted traces are of a kind, and how many thoughts have one.",
        "kind",
        _kinds,
    ),
    Chart(
        "Place of corrections",
        "Where in accepted thoughts something is taken back: the share of the words that stand before it.",
        "place (0-1)",
        lambda record: [(_tenth(place), "corrections") for place in corrections_of(record)],
        rows=TENTHS,
    ),
    Chart(
        "What carries the steps",
        "Steps of accepted thoughts, by what a model says that the passage says of them. Wrong ones are meant to be.",
        "kind",
        _steps,
        columns=("supported", "inferred", "outside", "contradicted"),
    ),
    Chart(
        "Ratings by judge",
        "Overall ratings as given, of all judged traces, those turned down included.",
        "rating",
        lambda record: [
            (NOT_KNOWN if verdict.overall is None else f"{verdict.overall:.0f}", verdict.judge)
            for verdict in record.verdicts
        ],
        rows=[*map(str, range(1, 11))],
        judged=True,
    ),
    Chart(
        "Grades",
        "Of the answers of accepted traces, where they were graded.",
        "grade (0-1)",
        _grades,
        rows=TENTHS,
        columns=_GRADES,
    ),
]
