"""How a log record is written: short for a terminal, as a line for people, as a JSON object for programs.

What is given to a logger as `extra` are the record's fields.
"""

import json
import logging
import traceback
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from programs.lms.redaction import redact

_NO_FIELDS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class ShortLine(logging.Formatter):
    """Level, logger, message, and the traceback where there is one. No line of any kind holds one of the secrets."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        line: str = self._clean(f"{record.levelname} {record.name}: {record.getMessage()}{_trouble(record)}")
        return line

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return redact(value, self._secrets)
        if isinstance(value, dict):
            return {name: self._clean(item) for name, item in value.items()}
        return [self._clean(item) for item in value] if isinstance(value, list | tuple) else value


class Line(ShortLine):
    """Time (UTC), level, logger, message, and the fields as name=JSON, on one line; then the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        message = self._clean(record.getMessage()).replace("\n", "\\n")
        # A secret with a quote in it looks otherwise in JSON: what is cleaned is not JSON yet.
        fields = "".join(f" {name}={_json(self._clean(value))}" for name, value in _fields(record).items())
        return f"{_time(record)} {record.levelname} {record.name}: {message}{fields}{self._clean(_trouble(record))}"


class ObjectLine(ShortLine):
    """A JSON object: time (UTC), level, logger, message, the fields, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        trouble = _trouble(record).strip()
        return _json(self._clean({**told, "exception": trouble} if trouble else told))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _NO_FIELDS}


def _trouble(record: logging.LogRecord) -> str:
    """The traceback, on lines of its own; "" where there is none."""
    error = record.exc_info[1] if record.exc_info else None
    return "" if error is None else "\n" + "".join(traceback.format_exception(error)).rstrip()


def _time(record: logging.LogRecord) -> str:
    then = datetime.fromtimestamp(record.created, timezone.utc)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
