"""What an export format is: columns, and how a trace or a question becomes rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from programs.exports.files import Columns, Row
from programs.exports.view import Prompt, View
from programs.records import Record


class NoRow(str):
    """Why a trace, or a question of a grouped format, gives no row; counted, and shown."""

    __slots__ = ()


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trace that may be exported. `became` is what the run made of it: accepted; below: the judges turned it down, or a
    model's own thought came to another answer; unused: earlier rules asked for it."""

    record: Record
    became: Literal["accepted", "below", "unused"] = "accepted"

    @property
    def texts(self) -> tuple[str, str]:
        return self.record.reasoning_trace, self.record.final_answer


Rows = Callable[[Sequence[Candidate], View], Iterator[Row | NoRow]]


@dataclass(frozen=True, eq=False)
class Format:
    """An export format, whole: commands, card and counts know no format by its name.

    `rows` is given one candidate, or with `grouped` all of a question, and yields rows, most by `View.rows`. What stands in
    the files are the keys of `columns`; a row's `context`, `label` and `labels` are counted. Without `attempts` it is given
    accepted traces alone, those that `--min-score` keeps; with it all that were ever made and judged, and `rows` looks at
    the scores. `about` says what a row is; `whole`
    that a row holds the record as it is, whatever its texts; `has_thought` that replies hold the thought, and
    `takes_field` that it can stand in a field of a message; `package` adds to the folder what makes it a package with a
    name.
    """

    name: str
    about: str
    columns: Callable[[View], Columns]
    rows: Rows
    grouped: bool = False
    attempts: bool = False
    takes_field: bool = False
    has_thought: bool = False
    whole: bool = False
    package: Callable[[Path, str], None] | None = None


def one_by_one(row: Callable[[View, Record, Prompt], Row]) -> Rows:
    """The rows of a format that makes one of each prompt of a trace."""

    def rows(traces: Sequence[Candidate], view: View) -> Iterator[Row]:
        record = traces[0].record
        return view.rows(record, lambda prompt: row(view, record, prompt))

    return rows
