"""Output of commands to the terminal: safe to show anywhere, and never a reason for a run to fail.

Characters that the encoding lacks are shown as `?`. Control characters in texts of models, papers and servers are removed:
they could move the cursor, set the title, or answer for the user. If standard output cannot be written (the disk is full,
its reader is gone, it was closed), no error is raised and the text goes to standard error.
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
from programs.redaction import strip_unprintable

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Outlet:
    """Sends text to `stream` (None: closed) until that fails, which sets `error`, and from then on to `fallback`."""

    stream: TextIO | None
    fallback: "Outlet | None" = None
    error: OSError | ValueError | None = None

    def send(self, text: str) -> None:
        """Writes and flushes the text, since text left in a buffer could be lost silently. Never raises."""
        if self.stream is not None and self.error is None:
            try:
                encoding = self.stream.encoding or "utf-8"
                self.stream.write(text.encode(encoding, "replace").decode(encoding))
                self.stream.flush()
                return
            except (OSError, ValueError) as error:
                self.error = error
                # Discard what is left in its buffer, or the interpreter would fail to flush it at exit.
                with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
                    os.dup2(nowhere.fileno(), self.stream.fileno())
        if self.fallback is not None:
            self.fallback.send(text)


class Output(TextIOBase):
    """A standard stream whose writes never raise. `styled` keeps control sequences: those of rich, which are safe."""

    def __init__(self, outlet: Outlet, *, styled: bool = False) -> None:
        self.outlet, self._styled = outlet, styled

    def write(self, text: str) -> int:
        # Libraries' progress bars start with a carriage return; no text of ours or of a model does.
        start = "\r" if text.startswith("\r") else ""
        self.outlet.send(text if self._styled else start + strip_unprintable(text))
        return len(text)

    def isatty(self) -> bool:
        stream = self.outlet.stream
        return stream is not None and self.outlet.error is None and stream.isatty()

    def fileno(self) -> int:
        if self.outlet.stream is None:
            raise OSError("the stream is closed")
        return self.outlet.stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.outlet.stream.encoding if self.outlet.stream is not None else "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        # `input` needs it in a debugger.
        return "replace"


@contextlib.contextmanager
def safe_streams() -> Iterator[None]:
    """Within the block, standard output and standard error are `Output`s."""
    # Occupy the numbers of closed standard streams: a file of ours that got one would receive what others print.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    before = sys.stdout, sys.stderr
    error = Outlet(sys.stderr)
    sys.stdout, sys.stderr = (cast("TextIO", Output(outlet)) for outlet in (Outlet(sys.stdout, error), error))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def print_result(text: str) -> None:
    """Prints a command's result. Raises `StorageError` if that fails, or BrokenPipeError if the reader is gone."""
    print(text)
    error = sys.stdout.outlet.error if isinstance(sys.stdout, Output) else None
    if isinstance(error, BrokenPipeError):
        raise error
    if error is not None:
        raise StorageError(f"standard output cannot be written: {getattr(error, 'strerror', None) or error}")


def console(*, stderr: bool = False, **options: Any) -> "Console":
    """A rich console for standard output or standard error that removes control characters. Markup is off by default."""
    from rich.console import Console, RenderableType
    from rich.segment import Segment

    class SafeConsole(Console):
        def render(self, renderable: RenderableType, options: Any = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=strip_unprintable(segment.text))

    stream = sys.stderr if stderr else sys.stdout
    file = cast("TextIO", Output(stream.outlet, styled=True)) if isinstance(stream, Output) else None
    return SafeConsole(file=file, stderr=stderr, **{"markup": False, "emoji": False, "highlight": False, **options})
