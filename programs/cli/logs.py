"""What a command logs: to the terminal warnings and what is worse, and more to a file that tells the next morning what
happened in the night. Whatever can be known as a secret is in neither."""

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
from programs.files import beside, is_of_run
from programs.redaction import printable, redact, secrets_in

OURS = ("synthreasoner", "programs", "optimize")
"""Loggers of this project. Those of libraries are heard from warnings on, unless everything is wanted."""

LARGEST = 10_000_000  # bytes at which the file is moved aside
OLDER = 3  # files that are kept so
_BEGINNING = re.compile(rb'(?:\{"time": ")?\d{4}-\d\d-\d\dT\d\d:\d\d:')  # of every log file of ours
_NO_FIELDS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class LogOptions(Options):
    """Options of commands that run for long."""

    log_level: Literal["debug", "info", "warning", "error"] | None = Field(
        None, description="what is logged (default: info in the log file, warning on a terminal without one)"
    )
    log_file: Path | None = Field(
        None,
        description="the log, which is added to and kept under 40 MB; the terminal then shows warnings only. none: no log "
        "file (default: NAME.run.log beside --output)",
    )
    log_format: Literal["text", "json"] = Field("text", description="the log file as lines of text, or of JSON objects")


@contextlib.contextmanager
def logged(options: LogOptions, output: Path | None) -> Iterator[None]:
    """Inside, what is logged goes where the options say; an error that ends the block is written into the file. A command
    that only looks has no `output`, and no log file either. Raises `UserError` for a named file that cannot be written or
    is no log; what fails later is said once, and the command goes on without its log."""
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
                # One that was foreseen needs no traceback.
                foreseen = isinstance(error, SynthReasonerError)
                said = (
                    f"ended by an error: {error}" if foreseen else f"ended by an error that nobody foresaw: {error!r}"
                )
                info = None if foreseen else (type(error), error, error.__traceback__)
                file.handle(logging.LogRecord("synthreasoner", logging.ERROR, __file__, 0, said, None, info))
            raise


@contextlib.contextmanager
def _logging_to(handlers: Sequence[logging.Handler], level: int) -> Iterator[None]:
    """Inside, what is logged from a level on goes to these; afterwards everything is as before."""
    from dspy.utils.logging_utils import DSPY_LOGGING_STREAM

    root, dspys, *ours = (logging.getLogger(name) for name in (None, "dspy", *OURS))
    with contextlib.ExitStack() as afterwards:
        for handler in handlers:
            afterwards.callback(handler.close)
        for logger in (root, dspys, *ours):
            afterwards.callback(logger.setLevel, logger.level)
            afterwards.callback(setattr, logger, "handlers", [*logger.handlers])
        # DSPy's loggers hand nothing on, and their own handler, for the terminal, knows of no secrets.
        for handler in dspys.handlers:
            if getattr(handler, "stream", None) is DSPY_LOGGING_STREAM:
                afterwards.callback(handler.setFormatter, handler.formatter)
                handler.setFormatter(handlers[0].formatter)
        root.setLevel(level if level == logging.DEBUG else max(level, logging.WARNING))
        for logger in ours:
            logger.setLevel(level)
        root.handlers += handlers
        dspys.handlers += handlers[1:]
        yield


def log_file(path: Path | None, output: Path) -> "LogFile":
    """The log file that is named, else the one beside the output, which comes into being with its first line: a command
    that is refused leaves nothing behind. Raises `UserError` for a named file that cannot be written, and for one of the
    run's own, or one that is no log, also among the older ones."""
    if path is not None and is_of_run(path, output):
        raise UserError(f"--log-file: {path} is where the run keeps something else; name another")
    # Not NAME.log, which is where people send what a command prints.
    named = path or beside(output, ".run.log")
    try:
        for there in (named, *(Path(f"{named}.{number}") for number in range(1, OLDER + 1))):
            if there.is_file() and (start := there.open("rb").read(64)) and not _BEGINNING.match(start):
                raise UserError(f"--log-file: {there} is there already, and no log of this program; name another")
        return LogFile(named, delay=path is None)
    except OSError as error:
        if path is None:
            return LogFile(named, delay=True)
        raise UserError(f"--log-file: {path} cannot be written: {error.strerror}") from None


class HiddenStream(StringIO):
    """Stands for a standard stream `behind` it while what libraries print is not to be seen; what is logged still is."""

    def __init__(self, behind: TextIO) -> None:
        super().__init__()
        self.behind = behind


def _terminal() -> TextIO:
    return sys.stderr.behind if isinstance(sys.stderr, HiddenStream) else sys.stderr


class TerminalHandler(logging.StreamHandler[TextIO]):
    """To what standard error is when something is logged: above a panel, while one is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = _terminal()
        super().emit(record)


class LogFile(RotatingFileHandler):
    """Tells on standard error, once, that it cannot be written; whoever logs is not disturbed. It cannot fill the disk."""

    def __init__(self, path: Path, *, delay: bool = False) -> None:
        self._warned = False
        super().__init__(path, "a", LARGEST, OLDER, encoding="utf-8", errors="backslashreplace", delay=delay)

    def _open(self) -> TextIOWrapper:
        # With the first line, not before: the folder of an output comes into being with it.
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
    """A record as a line without any of the secrets and without control characters. `short`: level, logger and message;
    `text`: time (UTC) before and fields as name=JSON after them; `json`: an object of all. A traceback has lines of its
    own, or a field there."""

    def __init__(self, form: Literal["short", "text", "json"]) -> None:
        super().__init__()
        self._secrets, self._form = secrets_in(os.environ), form

    def format(self, record: logging.LogRecord) -> str:
        # A secret with a quote in it looks otherwise in JSON: what is cleaned is not JSON yet.
        message = self._clean(record.getMessage())
        fields = {name: self._clean(value) for name, value in vars(record).items() if name not in _NO_FIELDS}
        error = record.exc_info[1] if record.exc_info else None
        trouble = "" if error is None else self._clean("".join(traceback.format_exception(error)).rstrip())
        level, then = record.levelname, datetime.fromtimestamp(record.created, timezone.utc)
        time = then.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._form == "json":
            written = {"time": time, "level": level.lower(), "logger": record.name, "message": message, **fields}
            return _json({**written, "exception": trouble} if trouble else written)
        if self._form == "text":
            named = "".join(f" {name}={_json(value)}" for name, value in fields.items())
            message = message.replace("\n", "\\n") + named
        line = f"{level} {record.name}: {message}" + (f"\n{trouble}" if trouble else "")
        return f"{time} {line}" if self._form == "text" else line

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return redact(printable(value), self._secrets)
        if isinstance(value, dict):
            return {name: self._clean(item) for name, item in value.items()}
        return [self._clean(item) for item in value] if isinstance(value, list | tuple) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
