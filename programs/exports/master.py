"""`master`: one row a trace with everything that its record holds, flat; the document can be made from it again
(`programs.restore`).

A part of the record becomes columns `PART_FIELD`: texts and numbers as they are, everything else as JSON in a string.
`PART_more` holds, as JSON, the keys that this version does not know; it is null where the record lacks the part. The
columns come from `programs.records`, so a field that is added there needs nothing here. `position` is the trace's place
in the document.
"""

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from pydantic import BaseModel

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row
from programs.exports.view import View, source_name
from programs.records import Part, Record

_KINDS = {str: "string", bool: "bool", int: "int64", float: "float64"}

MORE = "more"
POSITION, SOURCE = "position", "source"


def _columns(_: View) -> Columns:
    columns: Columns = {POSITION: "int64", SOURCE: "string"}
    for part, model in [(None, Record), *_parts().items()]:
        columns |= {_name(part, field): kind or "string" for field, kind in _fields(model).items()}
        columns[_name(part, MORE)] = "string"
    return columns


def _rows(traces: Sequence[Candidate], _: View) -> Iterator[Row]:
    trace = traces[0]
    content = trace.record.model_dump(mode="json")
    parts = {part: content.pop(part) for part in _parts()}
    row = {POSITION: trace.position, SOURCE: source_name(trace.record.source_paper), **_flat(None, Record, content)}
    for part, model in _parts().items():
        row |= _flat(part, model, parts[part])
    yield row


def record_of(row: Mapping[str, Any]) -> Record:
    """The record that a row was made of. Raises ValueError (pydantic's `ValidationError` is one) for any other row."""
    try:
        content = _unflat(row, None, Record) or {}
        for part, model in _parts().items():
            content[part] = _unflat(row, part, model)
    except KeyError as error:
        raise ValueError(f"the column {error} is missing") from error
    return Record.model_validate(content)


def _flat(part: str | None, model: type[BaseModel], content: dict[str, Any] | None) -> Row:
    fields = _fields(model)
    row: Row = dict.fromkeys((_name(part, field) for field in [*fields, MORE]), None)
    if content is None:
        return row
    for field, kind in fields.items():
        value = content.pop(field)
        row[_name(part, field)] = value if kind else _json(value)
    return {**row, _name(part, MORE): _json(content)}


def _unflat(row: Mapping[str, Any], part: str | None, model: type[BaseModel]) -> dict[str, Any] | None:
    more = row[_name(part, MORE)]
    if more is None:
        return None
    content = {}
    for field, kind in _fields(model).items():
        value = row[_name(part, field)]
        content[field] = value if kind or value is None else orjson.loads(value)
    return {**content, **orjson.loads(more)}


def _name(part: str | None, field: str) -> str:
    return f"{part}_{field}" if part else field


@lru_cache
def _parts() -> dict[str, type[BaseModel]]:
    """The fields of a record that are models, which become columns of their own."""
    found = {name: _only(field.annotation) for name, field in Record.model_fields.items()}
    return {name: kind for name, kind in found.items() if isinstance(kind, type) and issubclass(kind, Part)}


@lru_cache
def _fields(model: type[BaseModel]) -> dict[str, str | None]:
    """The fields of a model that stand in a column, and its kind; None: as JSON."""
    parts = _parts() if model is Record else {}
    return {
        name: _KINDS.get(kind) if isinstance(kind := _only(field.annotation), type) else None
        for name, field in model.model_fields.items()
        if name not in parts
    }


def _only(annotation: Any) -> Any:
    """The one type of an annotation besides None."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else None


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


MASTER = Format(
    name="master",
    about="a trace with everything that is known of it, flat; the document can be made from it again",
    columns=_columns,
    rows=_rows,
    whole=True,
)
