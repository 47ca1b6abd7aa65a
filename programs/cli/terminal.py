"""What a command shows: text that any terminal can take, written so that no output can end a run.

Letters that the output has not are shown as `?`. Control characters in text of models, papers and servers never reach it:
they could move the cursor, set the title, or answer for the user. An output that cannot be written (its disk is full, its
reader is gone, it was closed) ends nothing: what it was to show goes to standard error.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from programs.errors import StorageError
from programs.redaction import printable

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Outlet:
    """Where text goes: to `stream` (None: it is closed) until that fails, which `error` tells, then to `spare`."""

    stream: TextIO | None
    spare: "Outlet | None" = None
    error: OSError | ValueError | None = None

    def send(self, text: str) -> None:
        """Writes the text, at once: what waits in a buffer would be lost without a word. Never raises."""
        if self.stream is not None and self.error is None:
            try:
                encoding = self.stream.encoding or "utf-8"
                self.stream.write(text.encode(encoding, "replace").decode(encoding))
                self.stream.flush()
                return
            except (OSError, ValueError) as error:
                self.error = error
                # What is left in its buffer goes nowhere, or the interpreter would fail at it as it ends.
                with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
                    os.dup2(nowhere.fileno(), self.stream.fileno())
        if self.spare is not None:
            self.spare.send(text)


class Output(TextIOBase):
    """A standard stream that never raises. `styled` lets control sequences pass: those of rich, which are ours."""

    def __init__(self, outlet: Outlet, *, styled: bool = False) -> None:
        self.outlet, self._styled = outlet, styled

    def write(self, text: str) -> int:
        # Bars that libraries draw begin so; no text of ours or of a model does.
        again = "\r" if text.startswith("\r") else ""
        self.outlet.send(text if self._styled else again + printable(text))
        return len(text)

    def isatty(self) -> bool:
        stream = self.outlet.stream
        return stream is not None and self.outlet.error is None and stream.isatty()

    def fileno(self) -> int:
        if self.outlet.stream is None:
            raise OSError("it is closed")
        return self.outlet.stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.outlet.stream.encoding if self.outlet.stream is not None else "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        # `input` of a debugger wants it.
        return "replace"


@contextlib.contextmanager
def safe_streams() -> Iterator[None]:
    """Inside, standard output and standard error are `Output`s."""
    # A file of ours that got the number of a closed stream would be written to by whatever writes to that.
    while (taken := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(taken)
    before = sys.stdout, sys.stderr
    error = Outlet(sys.stderr)
    sys.stdout, sys.stderr = (cast("TextIO", Output(one)) for one in (Outlet(sys.stdout, error), error))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def put(text: str) -> None:
    """Prints what a command is for. Raises `StorageError` where it could not be written, or BrokenPipeError where nobody
    reads it any more."""
    print(text)
    error = sys.stdout.outlet.error if isinstance(sys.stdout, Output) else None
    if isinstance(error, BrokenPipeError):
        raise error
    if error is not None:
        raise StorageError(f"standard output cannot be written: {getattr(error, 'strerror', None) or error}")


def console(*, stderr: bool = False, **options: Any) -> "Console":
    """A console of rich for standard output or standard error, by the rules of this file. Text is no markup in it."""
    from rich.console import Console, RenderableType
    from rich.segment import Segment

    class SafeConsole(Console):
        def render(self, renderable: RenderableType, options: Any = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=printable(segment.text))

    stream = sys.stderr if stderr else sys.stdout
    file = cast("TextIO", Output(stream.outlet, styled=True)) if isinstance(stream, Output) else None
    return SafeConsole(file=file, stderr=stderr, **{"markup": False, "emoji": False, "highlight": False, **options})
