"""The charts of a report: tables whose cells are drawn as bars. To add a chart, add an entry to `CHARTS`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from programs.record_parts import Grades
from programs.records import Record
from programs.statistics.counts import OTHERS
from programs.statistics.thought_counts import corrections_of, opening_of
from signatures.question_type import Difficulty

Cell = tuple[str, str]
Table = Mapping[str, Mapping[str, int]]
"""Counts by row and column. All rows have the same columns."""

NOT_KNOWN = "not known"
TENTHS = tuple(f"{number / 10:g}–{(number + 1) / 10:g}" for number in range(10))
MAX_ROWS = 14
"""The maximum number of rows in a chart without fixed rows."""
MAX_CELLS = 20_000
"""How many different cells are counted separately, to bound memory. Frequent ones occur early, so they are among them."""


@dataclass(frozen=True)
class Chart:
    """A chart of accepted traces, or with `judged` of all traces. `cells` gives the cells that a trace adds one to, each as
    often as it is listed. `axis` is the heading of the rows. These are `rows`, in order, without empty ones at both ends,
    or else the most frequent; NOT_KNOWN is last. Columns are in the order of `columns`, with any others after them."""

    title: str
    about: str
    axis: str
    cells: Callable[[Record], Iterable[Cell]]
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    judged: bool = False

    def count(self, record: Record, counts: Counter[Cell]) -> None:
        for cell in self.cells(record):
            counts[cell if cell in counts or len(counts) < MAX_CELLS else (OTHERS, OTHERS)] += 1

    def table(self, counts: Counter[Cell]) -> Table:
        sums = Counter[str]()
        for (row, _), count in counts.items():
            sums[row] += count
        filled = [index for index, row in enumerate(self.rows) if sums[row]] or [0]
        frequent = sorted(sums.keys() - {OTHERS, NOT_KNOWN}, key=lambda row: (-sums[row], row))
        rows = [*(self.rows[filled[0] : filled[-1] + 1] or frequent[:MAX_ROWS]), *({NOT_KNOWN} & sums.keys())]
        found = sorted({column for _, column in counts} - {OTHERS})
        columns = dict.fromkeys(name for name in (*self.columns, *found) if name in found)
        return {_with_spaces(row): {_with_spaces(column): counts[row, column] for column in columns} for row in rows}


def charts_of(
    counted: Sequence[Counter[Cell]], spent: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Chart, Table, int]]:
    """All charts that are not empty, each with its largest value, from the counts of `CHARTS` and the tokens spent by stage
    and model. A call without token counts leaves its stage out."""
    uncounted = {row["stage"] for row in spent if row["uncounted"]}
    tokens = Counter[Cell]()
    for row in spent:
        if row["stage"] not in uncounted:
            tokens.update({(row["stage"], "read"): row["prompt"], (row["stage"], "written"): row["completion"]})
    for chart, counts in zip((*CHARTS, _TOKEN_CHART), (*counted, tokens), strict=True):
        table = chart.table(counts)
        if largest := max((value for row in table.values() for value in row.values()), default=0):
            yield chart, table, largest


def _with_spaces(name: str) -> str:
    return name.replace("_", " ")


def _tenth_of(value: float | None) -> str:
    return NOT_KNOWN if value is None else TENTHS[min(int(10 * value), 9)]


def _type_cells(record: Record) -> list[Cell]:
    return [(record.user_interaction.question_type, record.user_interaction.difficulty_level)]


def _kind_cells(record: Record) -> Iterator[Cell]:
    kinds = [step.kind for step in record.steps if step.kind]
    yield from ((kind, "paragraphs") for kind in kinds)
    yield from ((kind, "thoughts") for kind in {*kinds})


def _step_cells(record: Record) -> Iterator[Cell]:
    if any(step.status for step in record.steps):
        yield from ((step.kind, step.status or "not judged") for step in record.steps if step.kind)


def _grade_cells(record: Record) -> Iterator[Cell]:
    if record.answer_grades:
        yield from ((_tenth_of(getattr(record.answer_grades, name)), name) for name in _GRADE_NAMES)


_GRADE_NAMES = [name for name in Grades.model_fields if name != "reason"]
_TOKEN_CHART = Chart("Tokens by stage", "Tokens of all runs by stage, as servers count them.", "stage", lambda _: [])

CHARTS = [
    Chart("Question types by difficulty", "Accepted traces.", "type", _type_cells, columns=get_args(Difficulty)),
    Chart(
        "Shapes of thoughts",
        "The shapes that were drawn for the thoughts of accepted traces.",
        "shape",
        lambda record: [(record.shape.name, "traces")] if record.shape else [],
    ),
    Chart(
        "Openings of thoughts",
        "The most frequent first three words of accepted thoughts. A student copies what many have in common.",
        "first words",
        lambda record: [(opening_of(record), "traces")],
    ),
    Chart(
        "Kinds of paragraphs",
        "How many paragraphs of accepted traces are of each kind, and how many thoughts have one.",
        "kind",
        _kind_cells,
    ),
    Chart(
        "Position of corrections",
        "Where accepted thoughts take something back: the share of the thought's words before it.",
        "position (0-1)",
        lambda record: [(_tenth_of(position), "corrections") for position in corrections_of(record)],
        rows=TENTHS,
    ),
    Chart(
        "How the passage supports the steps",
        "The steps of accepted thoughts, by what a model says the passage says about them. Wrong turns are deliberate.",
        "kind",
        _step_cells,
        columns=("supported", "inferred", "outside", "contradicted"),
    ),
    Chart(
        "Ratings by judge",
        "Overall ratings as given, of all judged traces, including rejected ones.",
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
        "The grades of the answers of accepted traces, if they were graded.",
        "grade (0-1)",
        _grade_cells,
        rows=TENTHS,
        columns=_GRADE_NAMES,
    ),
]
