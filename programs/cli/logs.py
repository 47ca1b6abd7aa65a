"""Logging of commands: warnings and errors go to the terminal, and more detail to a log file, which shows afterwards what
happened during an unattended run. Known secrets are removed from both."""

import contextlib
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from io import StringIO, TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal, TextIO

from pydantic import Field

from programs.cli.options import Options
from programs.errors import SynthReasonerError, UserError
from programs.files import is_run_file, path_beside
from programs.redaction import redact, secrets_in, strip_unprintable

PROJECT_LOGGERS = ("synthreasoner", "programs", "optimize")
"""Loggers of this project. Those of libraries log only warnings and errors, unless the level is debug."""

MAX_BYTES = 10_000_000  # bytes at which the log file is rotated
BACKUP_COUNT = 3  # rotated files that are kept
_LOG_START_PATTERN = re.compile(rb'(?:\{"time": ")?\d{4}-\d\d-\d\dT\d\d:\d\d:')  # how our log files start
_STANDARD_ATTRIBUTES = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class LogOptions(Options):
    """Logging options of long-running commands."""

    log_level: Literal["debug", "info", "warning", "error"] | None = Field(
        None, description="the lowest level that is logged (default: info with a log file, warning without one)"
    )
    log_file: Path | None = Field(
        None,
        description="the log file, appended to and rotated to stay under 40 MB in all; the terminal then shows only "
        "warnings. none: no log file (default: NAME.run.log beside --output)",
    )
    log_format: Literal["text", "json"] = Field("text", description="the log file as lines of text or JSON objects")


@contextlib.contextmanager
def logging_to_file(options: LogOptions, output: Path | None) -> Iterator[None]:
    """Within the block, log records go where the options say; an error that ends the block is written to the log file, if
    that was created. Without an `output` (a command that writes nothing) there is no log file. Raises `UserError` as
    `log_file` does. If writing fails later, one warning says so, and the command continues without its log."""
    terminal = TerminalHandler()
    terminal.setFormatter(LineFormatter("short"))
    file = None if output is None or options.log_file == Path("none") else log_file(options.log_file, output)
    level = logging.getLevelName((options.log_level or ("warning" if file is None else "info")).upper())
    handlers: list[logging.Handler] = [terminal]
    if file is not None:
        file.setFormatter(LineFormatter(options.log_format))
        terminal.setLevel(max(level, logging.WARNING))
        handlers.append(file)
    with _logging_to(handlers, level):
        try:
            yield
        except Exception as error:
            if file is not None and file.stream is not None:
                # An expected error needs no traceback.
                expected = isinstance(error, SynthReasonerError)
                message = f"ended by an error: {error}" if expected else f"ended by an unexpected error: {error!r}"
                info = None if expected else (type(error), error, error.__traceback__)
                file.handle(logging.LogRecord("synthreasoner", logging.ERROR, __file__, 0, message, None, info))
            raise


@contextlib.contextmanager
def _logging_to(handlers: Sequence[logging.Handler], level: int) -> Iterator[None]:
    """Within the block, records of at least `level` go to `handlers`, the terminal's first; then restores the old setup."""
    # Slow to import, and --help shows these options.
    from dspy.utils.logging_utils import DSPY_LOGGING_STREAM

    root, dspy_logger, *ours = (logging.getLogger(name) for name in (None, "dspy", *PROJECT_LOGGERS))
    with contextlib.ExitStack() as cleanup:
        for handler in handlers:
            cleanup.callback(handler.close)
        for logger in (root, dspy_logger, *ours):
            cleanup.callback(logger.setLevel, logger.level)
            cleanup.callback(setattr, logger, "handlers", [*logger.handlers])
        # DSPy's loggers do not propagate, and their own terminal handler does not remove secrets.
        for handler in dspy_logger.handlers:
            if getattr(handler, "stream", None) is DSPY_LOGGING_STREAM:
                cleanup.callback(handler.setFormatter, handler.formatter)
                handler.setFormatter(handlers[0].formatter)
        root.setLevel(level if level == logging.DEBUG else max(level, logging.WARNING))
        for logger in ours:
            logger.setLevel(level)
        root.handlers += handlers
        dspy_logger.handlers += handlers[1:]
        yield


def log_file(path: Path | None, output: Path) -> "LogFile":
    """The log file at `path`, by default beside the output. The default file is created with its first line, so that a
    rejected command leaves nothing behind. Raises `UserError` if `path` cannot be written or is one of the run's own files,
    or if the log file or one of its rotated files exists and is not a log of this program."""
    if path is not None and is_run_file(path, output):
        raise UserError(f"--log-file: {path} is one of the run's own files; choose another")
    # Not NAME.log: people redirect the output of commands there.
    named = path or path_beside(output, ".run.log")
    try:
        for existing in (named, *(Path(f"{named}.{number}") for number in range(1, BACKUP_COUNT + 1))):
            if existing.is_file() and (start := existing.open("rb").read(64)) and not _LOG_START_PATTERN.match(start):
                raise UserError(f"--log-file: {existing} exists and is not a log of this program; choose another")
        return LogFile(named, delay=path is None)
    except OSError as error:
        if path is None:
            return LogFile(named, delay=True)
        raise UserError(f"--log-file: {path} cannot be written: {error.strerror}") from None


class HiddenStream(StringIO):
    """Hides what libraries print to a standard stream; log records still reach the real stream, `real`."""

    def __init__(self, real: TextIO) -> None:
        super().__init__()
        self.real = real


def _terminal() -> TextIO:
    return sys.stderr.real if isinstance(sys.stderr, HiddenStream) else sys.stderr


class TerminalHandler(logging.StreamHandler[TextIO]):
    """Looks up standard error for each record, so that records appear above a live panel."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = _terminal()
        super().emit(record)


class LogFile(RotatingFileHandler):
    """A rotating log file. If it cannot be written, one warning on standard error says so, and nothing is raised."""

    def __init__(self, path: Path, *, delay: bool = False) -> None:
        self._warned = False
        super().__init__(path, "a", MAX_BYTES, BACKUP_COUNT, encoding="utf-8", errors="backslashreplace", delay=delay)

    def _open(self) -> TextIOWrapper:
        # Here, so that the output's folder is created with the first line and not before.
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        self._warn(sys.exc_info()[1])

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:
            self._warn(error)

    def _warn(self, error: BaseException | None) -> None:
        if not self._warned:
            self._warned = True
            reason = getattr(error, "strerror", None) or error
            print(f"WARNING: the log {self.baseFilename} cannot be written: {reason}", file=_terminal())


class LineFormatter(logging.Formatter):
    """Formats a record without secrets and control characters. `short`: level, logger, message; `text`: also the time (UTC)
    before and fields as name=JSON after them, on one line; `json`: one object. A traceback follows, or is a field."""

    def __init__(self, form: Literal["short", "text", "json"]) -> None:
        super().__init__()
        self._secrets, self._form = secrets_in(os.environ), form

    def format(self, record: logging.LogRecord) -> str:
        # Clean before encoding: JSON escapes quotes, so a secret that has one would no longer match.
        message = self._clean(record.getMessage())
        fields = {name: self._clean(value) for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}
        error = record.exc_info[1] if record.exc_info else None
        exception = "" if error is None else self._clean("".join(traceback.format_exception(error)).rstrip())
        level = record.levelname
        created = datetime.fromtimestamp(record.created, timezone.utc)
        time = created.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._form == "json":
            entry = {"time": time, "level": level.lower(), "logger": record.name, "message": message, **fields}
            return _json({**entry, "exception": exception} if exception else entry)
        if self._form == "text":
            extra = "".join(f" {name}={_json(value)}" for name, value in fields.items())
            message = message.replace("\n", "\\n") + extra
        line = f"{level} {record.name}: {message}" + (f"\n{exception}" if exception else "")
        return f"{time} {line}" if self._form == "text" else line

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return redact(strip_unprintable(value), self._secrets)
        if isinstance(value, dict):
            return {name: self._clean(item) for name, item in value.items()}
        return [self._clean(item) for item in value] if isinstance(value, list | tuple) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
