"""What is wrong with a reply's form, in words that whoever wrote it can act on."""

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from programs.asking.json_schema import Schema, kind_of

_MOST_FAULTS = 20
_LONGEST_SHOWN = 80


def faults_of(error: ValidationError, schema: Schema) -> list[str]:
    """Each fault with its place, how the schema describes that, what stands there and what is due. The reply is shown
    beside them, so that of a long text only the length is told."""
    details = error.errors(include_url=False)
    faults = [_fault(detail, schema) for detail in details[:_MOST_FAULTS]]
    return faults + ([f"and {len(details) - _MOST_FAULTS} more"] if len(details) > _MOST_FAULTS else [])


def _fault(detail: ErrorDetails, schema: Schema) -> str:
    wanted, name = _described(schema, detail["loc"])
    what = f"{name} ({wanted['description']})" if wanted.get("description") else name
    if detail["type"] == "missing":
        return f"{what} is missing: give {_kind(wanted)}"
    given = detail["input"]
    if isinstance(given, str) and wanted.get("type") == "string" and "enum" not in wanted:
        return f"{what} has {len(given)} characters: write {_length(wanted)}"
    if isinstance(given, list) and wanted.get("type") == "array":
        return f"{what} has {len(given)} items: give {_kind(wanted)}"
    return f"{what} is {_shown(given)}: give {_kind(wanted)}"


def _described(schema: Schema, place: tuple[int | str, ...]) -> tuple[Schema, str]:
    """The schema at a place, and the place's name."""
    name = ".".join(map(str, place))
    for step in place:
        schema = schema.get("items", {}) if isinstance(step, int) else schema.get("properties", {}).get(step, {})
    return schema, name


def _kind(schema: Schema) -> str:
    if schema.get("type") == "array":
        most = schema.get("maxItems")
        return f"{schema.get('minItems', 0)} to {most}" if most else f"at least {schema.get('minItems', 0)}"
    if "properties" in schema:
        return f"an object with {', '.join(schema['properties'])}"
    return kind_of(schema)


def _length(schema: Schema) -> str:
    most = schema.get("maxLength")
    return f"at least {schema.get('minLength', 0)}" + (f" and at most {most}" if most else "")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} ..."
