"""A log file that cannot fill the disk, and whose failures harm nothing."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime, timezone
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from programs.errors import UserError
from programs.files import stem_of
from programs.lms.redaction import redact

NO_FILE = Path("none")
"""`--log-file none`: no log file."""

LARGEST = 10_000_000
OLDER = 3
"""At so many bytes the file is moved aside; so many older ones are kept."""

_BEGINNING = re.compile(rb'(?:\{"time": ")?\d{4}-\d\d-\d\dT\d\d:\d\d:')
"""How every log file of ours begins."""


def log_file(path: Path | None, output: Path) -> "LogFile":
    """The log file that is named, else the one beside the output. That one comes into being with its first line: a command
    that is refused leaves nothing behind. Raises `UserError` for a named file that cannot be written or is no log."""
    if path is None:
        return LogFile(default_log(output), delay=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_others(path)
        return LogFile(path)
    except OSError as error:
        raise UserError(f"--log-file: {path} cannot be written: {error.strerror}") from None


def default_log(output: Path) -> Path:
    """The log beside an output. Not NAME.log, which is where people send what a command prints."""
    return output.with_name(f"{stem_of(output.absolute())}.run.log")  # "." has no name of its own


def _refuse_others(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(64)
    if start and not _BEGINNING.match(start):
        raise UserError(f"--log-file: {path} is there already, and no log of this program; name another")


class LogFile(RotatingFileHandler):
    """Tells on standard error, once, that it cannot be written; whoever logs is not disturbed."""

    def __init__(self, path: Path, *, delay: bool = False) -> None:
        self._told = False
        super().__init__(
            path, maxBytes=LARGEST, backupCount=OLDER, encoding="utf-8", errors="backslashreplace", delay=delay
        )

    def _open(self) -> TextIOWrapper:
        # With the first line, not before: the folder of an output comes into being with it.
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    @property
    def begun(self) -> bool:
        """Whether something was written, or the file was named."""
        return self.stream is not None

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        self._tell(sys.exc_info()[1])

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:
            self._tell(error)

    def _tell(self, error: BaseException | None) -> None:
        if not self._told:
            self._told = True
            reason = getattr(error, "strerror", None) or error
            print(f"WARNING: the log {self.baseFilename} cannot be written: {reason}", file=sys.stderr)


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
