"""What a command logs: to the terminal, and to a file that tells the next morning what happened in the night.

The terminal is shown warnings and what is worse; a log file gets more. Whatever can be known as a secret is in neither.
"""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from programs.errors import SynthReasonerError
from programs.lms.redaction import secrets_in
from programs.telemetry.log_file import NO_FILE, Line, ObjectLine, ShortLine, log_file

OURS = ("synthreasoner", "programs", "optimize")
"""Loggers of this project. Those of libraries are heard from warnings on, unless everything is wanted."""


class LogOptions(BaseModel):
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
    that only looks has no `output`, and no log file either.

    Raises `UserError` for a named file that cannot be written or is no log. What fails later is said once, and the command
    goes on without its log.
    """
    secrets = secrets_in(os.environ)
    terminal = logging.StreamHandler()
    terminal.setFormatter(ShortLine(secrets))
    file = None if output is None or options.log_file == NO_FILE else log_file(options.log_file, output)
    level = logging.getLevelName((options.log_level or ("warning" if file is None else "info")).upper())
    if file is not None:
        file.setFormatter((ObjectLine if options.log_format == "json" else Line)(secrets))
        terminal.setLevel(max(level, logging.WARNING))
    with _levels(level), _attached(logging.getLogger(), terminal, file), _dspy_too(terminal, file):
        try:
            yield
        except Exception as error:
            if file is not None and file.begun:
                file.handle(_ending(error))
            raise


@contextlib.contextmanager
def _levels(level: int) -> Iterator[None]:
    root, *ours = (logging.getLogger(name) for name in (None, *OURS))
    before = [logger.level for logger in (root, *ours)]
    root.setLevel(level if level == logging.DEBUG else max(level, logging.WARNING))
    for logger in ours:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, old in zip((root, *ours), before, strict=True):
            logger.setLevel(old)


@contextlib.contextmanager
def _attached(logger: logging.Logger, *handlers: logging.Handler | None) -> Iterator[None]:
    present = [handler for handler in handlers if handler is not None]
    for handler in present:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in present:
            logger.removeHandler(handler)
            handler.close()


@contextlib.contextmanager
def _dspy_too(terminal: logging.Handler, file: logging.Handler | None) -> Iterator[None]:
    """DSPy's loggers hand nothing on, and their own handler, for the terminal, knows of no secrets."""
    from dspy.utils.logging_utils import DSPY_LOGGING_STREAM

    logger = logging.getLogger("dspy")
    own = [handler for handler in logger.handlers if getattr(handler, "stream", None) is DSPY_LOGGING_STREAM]
    before = [handler.formatter for handler in own]
    for handler in own:
        handler.setFormatter(terminal.formatter)
    with _attached(logger, file):
        try:
            yield
        finally:
            for handler, formatter in zip(own, before, strict=True):
                handler.setFormatter(formatter)


def _ending(error: Exception) -> logging.LogRecord:
    """What the file says of the error that ends a command. One that was foreseen needs no traceback."""
    foreseen = isinstance(error, SynthReasonerError)
    info = None if foreseen else (type(error), error, error.__traceback__)
    message = f"ended by an error: {error}" if foreseen else f"ended by an error that nobody foresaw: {error!r}"
    return logging.LogRecord("synthreasoner", logging.ERROR, __file__, 0, message, None, info)
