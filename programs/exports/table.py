"""`table`: one row a trace with everything that its record holds, flat, for analysis. The journal is what keeps the data;
nothing is made from a table again.

A part of the record becomes columns `PART_FIELD`: texts and numbers as they are, everything else as JSON in a string. The
columns come from `programs.records`, so a field that is added there needs nothing here.
"""

import types
import typing
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import orjson

from programs.exports.files import Columns, Row
from programs.exports.format import Format
from programs.exports.view import View
from programs.inputs.papers import source_key
from programs.records import Part, Record
from programs.run.attempts import ReadTrace

_KINDS = {str: "string", bool: "bool", int: "int64", float: "float64"}


@lru_cache
def _fields() -> dict[str, tuple[str, str | None, str | None]]:
    """Every column: where its value stands in a record, and its kind; None: JSON in a string."""
    found: dict[str, tuple[str, str | None, str | None]] = {}
    for name, field in Record.model_fields.items():
        kind = _only(field.annotation)
        if isinstance(kind, type) and issubclass(kind, Part):
            for inner, part in kind.model_fields.items():
                found[f"{name}_{inner}"] = name, inner, _KINDS.get(_only(part.annotation))
        else:
            found[name] = name, None, _KINDS.get(kind)
    return found


def _only(annotation: Any) -> Any:
    """The one type of an annotation besides None, where it has a single one; else the annotation."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else annotation


def _columns(_: View) -> Columns:
    return {"source": "string", **{name: kind or "string" for name, (_, _, kind) in _fields().items()}}


def _rows(traces: Sequence[ReadTrace], _: View) -> Iterator[Row]:
    record = traces[0].record
    content, row = record.model_dump(mode="json"), Row(source=source_key(record.source_paper))
    for column, (name, inner, kind) in _fields().items():
        value = content[name]
        if inner is not None and value is not None:
            value = value[inner]
        row[column] = value if kind or value is None else orjson.dumps(value).decode()
    yield row


TABLE = Format(
    name="table", about="a trace with everything that is known of it, flat", columns=_columns, rows=_rows, whole=True
)
