"""How much of a JSON schema a server is asked to enforce, and what happens when it refuses.

Servers differ in what their `response_format` takes. The ladder has three rungs; a call that is refused goes one
rung down and is sent again, and the first call that succeeds lower down takes the whole run with it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Rung(IntEnum):
    """How a structured answer is asked for; higher numbers ask for less."""

    FULL = 0
    JSON_OBJECT = 1
    NONE = 2

    def below(self) -> Rung:
        return Rung(min(self + 1, Rung.NONE))


class Ladder:
    """The rung on which a run stands. Only ever goes down; safe to share between threads."""

    def __init__(self) -> None:
        self._rung = Rung.FULL
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
    return {
        "type": "json_schema",
        "json_schema": {
            "name": asked.get("name", "answer"),
            "strict": asked.get("strict", True),
            "schema": asked["schema"],
        },
    }


def rung_of(format_: Mapping[str, Any] | None, rung: Rung) -> Rung:
    """The rung on which a body with this `response_format`, made for `rung`, really stands."""
    if format_ is None:
        return Rung.NONE
    return max(rung, Rung.JSON_OBJECT) if format_["type"] == "json_object" else rung
