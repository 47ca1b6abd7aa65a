"""Reading a reply as it was meant, and saying what is wrong with one that cannot be.

What people would read without asking back is read: `docs/pipeline.md` has the table. What they would have to guess is not:
it is left out where the type allows that (an item of a list, a field with a default), or else the reply is not read.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from programs.asking.faults import faults_of
from programs.asking.json_objects import objects_in
from programs.asking.json_schema import Outputs, Schema, reply_type, taken_schema
from programs.asking.unfinished import unfinished_field
from signatures.bounds import WHOLE

_SHORTEST_BEGINNING = 3
_INFLECTED = 5
"""A name of so many letters may have up to three more at its end: "beginners" is a beginner, "none" is not "no"."""

# One whole number, with words or brackets around it: "[8]", "8.", "sentence 8", "85%", "85/100", "85 out of 100".
_NUMBER = re.compile(
    r"(?:[^\d.,%/-]|\.\s){0,24}(?P<number>\d{1,9})(?:\.0*)?"
    r"\s*(?:(?P<percent>%)|(?:/|out\s+of|of)\s*(?P<most>\d{1,9})(?:\.0*)?)?[^\d%/]{0,24}"
)
_BETWEEN_NUMBERS = re.compile(r"[,;]|\band\b")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Misread(ValueError):
    """A reply that has another form than was asked for, or (`cut`) ends in the middle of a sentence; `faults` says where
    and how, each whole."""

    def __init__(self, faults: list[str], cut: bool = False) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
        self.cut = cut


def as_meant(fields: Mapping[str, Any], outputs: Outputs) -> dict[str, Any]:
    """The values of a reply's fields, in their types. Raises `Misread`."""
    schema = taken_schema(outputs)
    value = _object(fields, schema)
    while True:
        try:
            made = reply_type(outputs).model_validate(value)
        except ValidationError as error:
            better = _without_faults(value, schema, [fault["loc"] for fault in error.errors(include_url=False)])
            if better is _BAD or better == value:
                raise Misread(faults_of(error, schema)) from error
            value = better
        else:
            break
    cut = unfinished_field(value, schema)
    if cut is not None:
        raise Misread([f"{cut} stops in the middle of a sentence: write it to its end"], cut=True)
    return {name: getattr(made, name) for name, _ in outputs}


def _as_meant(value: Any, schema: Schema) -> Any:
    """The value as the schema's kind of value, where there is no doubt about it; otherwise as it is."""
    if "enum" in schema or "const" in schema:
        return _choice(_only(value), schema.get("enum") or [schema["const"]])
    reader = _READERS.get(schema.get("type", ""))
    return value if value is None or reader is None else reader(value, schema)


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _choice(value: Any, names: list[Any]) -> Any:
    if not isinstance(value, str) or value in names:
        return value
    said, known = _plain(value), {_plain(str(name)): name for name in names}
    if said in known:
        return known[said]
    near = [name for plain, name in known.items() if _begins(said, plain) or _goes_on(said, plain, known)]
    return near[0] if len(near) == 1 else value


def _begins(said: str, name: str) -> bool:
    return len(said) >= _SHORTEST_BEGINNING and name.startswith(said)


def _goes_on(said: str, name: str, known: Mapping[str, Any]) -> bool:
    """Whether what was said is the name and more, which names no other."""
    if not said.startswith(name):
        return False
    rest = said[len(name) :]
    ending, *more = rest.split("_")
    return len(ending) <= (3 if len(name) >= _INFLECTED else 0) and not any(word in known for word in more)


def _plain(name: str) -> str:
    return re.sub(r"\W+|_+", "_", name.casefold()).strip("_")


def _whole_number(value: Any, schema: Schema) -> Any:
    value = _only(value)
    if isinstance(value, bool):
        # To pydantic they are 1 and 0.
        return json.dumps(value)
    found = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    most = 100 if found.group("percent") else found.group("most") and int(found.group("most"))
    return int(found.group("number")) if most in (None, schema.get("maximum")) else value


def _text(value: Any, _schema: Schema) -> Any:
    value = _only(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    return _CONTROL.sub("", value.replace("\r\n", "\n")) if isinstance(value, str) else value


def _list(value: Any, schema: Schema) -> Any:
    items = schema["items"]
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _json(value)
    if isinstance(value, str) and items.get("type") == "integer":
        value = [part for part in _BETWEEN_NUMBERS.split(value) if part.strip()]
    read = [_as_meant(item, items) for item in (value if isinstance(value, list) else [value])]
    return read if schema.get(WHOLE) else read[: schema.get("maxItems")]


def _json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text


def _object(value: Any, schema: Schema) -> Any:
    if "properties" not in schema:  # a mapping of any names
        return value
    parts, required = schema["properties"], schema.get("required", [])
    value = _only(value)
    if isinstance(value, str) and value.lstrip().startswith("{"):
        found = objects_in(value).objects
        value = found[-1] if found else None
    if isinstance(value, str | list) and len(required) == 1 and _fits(value, parts[required[0]]):
        value = {required[0]: value}
    if not isinstance(value, Mapping):
        return value
    names = {_plain(name): name for name in parts}
    given = {names.get(_plain(str(key)), ""): part for key, part in value.items()}
    return {name: _as_meant(part, parts[name]) for name, part in given.items() if name}


def _fits(value: str | list[Any], schema: Schema) -> bool:
    kind = schema.get("type")
    return kind == "array" if isinstance(value, list) else kind == "string" and "enum" not in schema


_READERS: dict[str, Callable[[Any, Schema], Any]] = {
    "integer": _whole_number,
    "string": _text,
    "array": _list,
    "object": _object,
}

_BAD: Any = object()
"""In place of a value that cannot be read."""


def _without_faults(value: Any, schema: Schema, faults: list[tuple[int | str, ...]]) -> Any:
    """The value without the parts that hold faults, where it may lack them; `_BAD` where it may not."""
    if () in faults or not isinstance(value, list | dict):
        return _BAD
    inside: dict[int | str, list[tuple[int | str, ...]]] = {}
    for place, *rest in faults:
        inside.setdefault(place, []).append(tuple(rest))
    if isinstance(value, list):
        kept = [
            _without_faults(item, schema["items"], inside[place]) if place in inside else item
            for place, item in enumerate(value)
        ]
        good = [item for item in kept if item is not _BAD]
        lacks = len(good) < len(kept) and (schema.get(WHOLE) or len(good) < schema.get("minItems", 0))
        return _BAD if lacks else good
    parts = {
        name: _without_faults(part, schema["properties"][name], inside[name]) if name in inside else part
        for name, part in value.items()
    }
    good_parts = {name: part for name, part in parts.items() if part is not _BAD}
    return good_parts if good_parts.keys() >= set(schema.get("required", [])) else _BAD
