"""What an export format is: columns, and how a trace or a question becomes rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from programs.exports.files import Columns, Row
from programs.exports.view import Prompt, View
from programs.records import Record
from programs.run.attempts import ReadTrace

Rows = Callable[[Sequence[ReadTrace], View], Iterator[Row | str]]
"""Yields rows, or why there is none of a trace, or of a question of a grouped format; that is counted, and shown."""


@dataclass(frozen=True, eq=False)
class Format:
    """An export format, whole: commands, card and counts know no format by its name.

    `rows` is given one trace, or with `grouped` all of a question, and yields rows, most by `View.rows`. What stands in the
    files are the keys of `columns`; a row's `context`, `label` and `labels` are counted. Without `attempts` it is given
    accepted traces alone, those that `--min-score` keeps; with it all that were ever made and judged, and `rows` looks at
    the scores. `about` says what a row is; `whole` that a row holds the record as it is, whatever its texts; `has_thought`
    that replies hold the thought, and `takes_field` that it can stand in a field of a message; `package` adds to the
    folder, which will stand at another path, what makes it a package.
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
    package: Callable[[Path, Path], None] | None = None


def one_by_one(row: Callable[[View, Record, Prompt], Row]) -> Rows:
    """The rows of a format that makes one of each prompt of a trace."""

    def rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row]:
        record = traces[0].record
        return view.rows(record, lambda prompt: row(view, record, prompt))

    return rows
