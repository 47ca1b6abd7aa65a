"""How much of a JSON schema a server is asked to enforce, and what happens when it refuses.

Servers differ in what their `response_format` takes. The ladder has four rungs; a call that is refused goes one
rung down and is sent again, and the first call that succeeds lower down takes the whole run with it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

_STRING_BOUNDS = frozenset({"maxLength", "minLength", "pattern"})
_NAMES_OF_SCHEMAS = frozenset({"properties", "$defs", "definitions"})


class Rung(IntEnum):
    """How a structured answer is asked for; higher numbers ask for less."""

    FULL = 0
    UNBOUNDED = 1
    JSON_OBJECT = 2
    NONE = 3

    def below(self) -> Rung:
        return Rung(min(self + 1, Rung.NONE))


class Ladder:
    """The rung on which a run stands. Only ever goes down; safe to share between threads."""

    def __init__(self, top: Rung = Rung.FULL) -> None:
        self._rung = top
        self._lock = threading.Lock()

    @property
    def rung(self) -> Rung:
        return self._rung

    @property
    def enforces_schemas(self) -> bool:
        """Whether the server is still believed to hold replies to a schema."""
        return self._rung < Rung.JSON_OBJECT

    def settle(self, rung: Rung) -> None:
        """Record that a call on `rung` was answered: no later call starts above it."""
        with self._lock:
            self._rung = max(self._rung, rung)


def response_format(asked: Mapping[str, Any] | None, rung: Rung) -> dict[str, Any] | None:
    """OpenAI's nested `response_format` for the flat one that DSPy hands over, or None where none is to be sent."""
    if asked is None or rung is Rung.NONE:
        return None
    if asked.get("type") != "json_schema" or rung is Rung.JSON_OBJECT:
        return {"type": "json_object"}
    schema = asked["schema"]
    return {
        "type": "json_schema",
        "json_schema": {
            "name": asked.get("name", "answer"),
            "strict": asked.get("strict", True),
            "schema": schema if rung is Rung.FULL else without_string_bounds(schema),
        },
    }


def rung_of(format_: Mapping[str, Any] | None, rung: Rung) -> Rung:
    """The rung on which a body with this `response_format`, made for `rung`, really stands."""
    if format_ is None:
        return Rung.NONE
    return max(rung, Rung.JSON_OBJECT) if format_["type"] == "json_object" else rung


def without_string_bounds(schema: Any) -> Any:
    """A copy of `schema` without `maxLength`, `minLength` and `pattern`; properties of those names are kept."""
    if isinstance(schema, list):
        return [without_string_bounds(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _STRING_BOUNDS:
            continue
        if key in _NAMES_OF_SCHEMAS and isinstance(value, Mapping):
            kept[key] = {name: without_string_bounds(part) for name, part in value.items()}
        else:
            kept[key] = value if key in ("enum", "const", "default", "examples") else without_string_bounds(value)
    return kept
