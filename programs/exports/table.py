"""`table`: one flat row per trace with its whole record, for analysis. The fields of a part of the record become columns
`PART_FIELD`: strings, numbers and booleans as they are, everything else as JSON strings."""

import typing
from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from typing import Any

import orjson

from programs.exports.view import Columns, Format, Row, RowOptions
from programs.inputs.papers import source_key
from programs.record_parts import Part
from programs.records import Record
from programs.run.attempts import ReadTrace

_COLUMN_KINDS = {str: "string", bool: "bool", int: "int64", float: "float64"}


@lru_cache
def _fields() -> dict[str, tuple[list[str], str | None]]:
    """For each column, the path of its value in a record, and its kind; None for a JSON string."""
    found: dict[str, tuple[list[str], str | None]] = {}
    for name, field in Record.model_fields.items():
        kind = _type_of(field.annotation)
        if isinstance(kind, type) and issubclass(kind, Part):
            for inner, part in kind.model_fields.items():
                found[f"{name}_{inner}"] = [name, inner], _COLUMN_KINDS.get(_type_of(part.annotation))
        else:
            found[name] = [name], _COLUMN_KINDS.get(kind)
    return found


def _type_of(annotation: Any) -> Any:
    """The only type of an annotation besides None, str for a Literal of strings; else the annotation itself."""
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    if typing.get_origin(annotation) is typing.Literal:
        return type(kinds[0])
    return _type_of(kinds[0]) if len(kinds) == 1 and type(None) in typing.get_args(annotation) else annotation


def _rows(traces: Sequence[ReadTrace], _: RowOptions) -> Iterator[Row]:
    record = traces[0].record
    content = record.model_dump(mode="json")
    row = Row(source=source_key(record.source_paper))
    for column, (path, kind) in _fields().items():
        value = reduce(lambda part, name: part and part[name], path, content)
        row[column] = value if kind or value is None else orjson.dumps(value).decode()
    yield row


def _columns(_: RowOptions) -> Columns:
    return {"source": "string", **{name: kind or "string" for name, (_, kind) in _fields().items()}}


TABLE = Format("table", "a trace with everything that is known about it, flat", _columns, _rows, raw_record=True)
