"""A log file that cannot fill the disk, and whose failures harm nothing."""

import logging
import re
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from programs.errors import UserError
from programs.files.beside import stem_of

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
