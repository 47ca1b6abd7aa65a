"""`table`: one row a trace with everything that its record holds, flat, for analysis. A part of the record becomes columns
`PART_FIELD`: texts and numbers as they are, everything else as JSON in a string."""

import typing
from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from typing import Any

import orjson

from programs.exports.view import Columns, Format, Row, View
from programs.inputs.papers import source_key
from programs.records import Part, Record
from programs.run.attempts import ReadTrace

_KINDS = {str: "string", bool: "bool", int: "int64", float: "float64"}


@lru_cache
def _fields() -> dict[str, tuple[list[str], str | None]]:
    """Every column: where its value stands in a record, and its kind; None: JSON in a string."""
    found: dict[str, tuple[list[str], str | None]] = {}
    for name, field in Record.model_fields.items():
        kind = _only(field.annotation)
        if isinstance(kind, type) and issubclass(kind, Part):
            for inner, part in kind.model_fields.items():
                found[f"{name}_{inner}"] = [name, inner], _KINDS.get(_only(part.annotation))
        else:
            found[name] = [name], _KINDS.get(kind)
    return found


def _only(annotation: Any) -> Any:
    """The type of an annotation, of one that may be None too, of words; of several types the annotation."""
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    if typing.get_origin(annotation) is typing.Literal:
        return type(kinds[0])
    return _only(kinds[0]) if len(kinds) == 1 and type(None) in typing.get_args(annotation) else annotation


def _rows(traces: Sequence[ReadTrace], _: View) -> Iterator[Row]:
    record = traces[0].record
    content, row = record.model_dump(mode="json"), Row(source=source_key(record.source_paper))
    for column, (place, kind) in _fields().items():
        value = reduce(lambda part, name: part and part[name], place, content)
        row[column] = value if kind or value is None else orjson.dumps(value).decode()
    yield row


def _columns(_: View) -> Columns:
    return {"source": "string", **{name: kind or "string" for name, (_, kind) in _fields().items()}}


TABLE = Format("table", "a trace with everything that is known of it, flat", _columns, _rows, whole=True)
