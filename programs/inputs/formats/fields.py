"""What a source says of a paper in named fields: its title, its domain, and all others as JSON can write them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from programs.inputs.cleaning import clean_line, replace_surrogates

DEEPEST = 20
"""Levels of nesting; what lies deeper is left out."""
_INT64 = range(-(2**63), 2**63)


class Told(NamedTuple):
    """A title and a domain, where there are any, and the other fields."""

    title: str | None
    domain: str | None
    fields: dict[str, Any]


def told(said: Mapping[Any, Any]) -> Told:
    """Takes title and domain out of the fields where they are words."""
    fields = portable(said)
    return Told(_taken(fields, "title"), _taken(fields, "domain"), fields)


def portable(value: Any, deepest: int = DEEPEST) -> Any:
    """A value as JSON can write it: dates become ISO 8601, bytes and what is foreign to JSON None, NaN None."""
    if isinstance(value, str):
        return replace_surrogates(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value in _INT64 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if deepest and isinstance(value, Mapping):
        return {replace_surrogates(str(key)): portable(item, deepest - 1) for key, item in value.items()}
    if deepest and isinstance(value, list | tuple | set):
        return [portable(item, deepest - 1) for item in value]
    return None


def _taken(fields: dict[str, Any], name: str) -> str | None:
    key = next((key for key in fields if key.lower() == name), None)
    if key is None or not isinstance(fields[key], str):
        return None
    return clean_line(fields.pop(key)) or None
