"""Writing a file as a whole: a reader sees the old one or the new one, never half of one."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from programs.errors import JournalError


@contextlib.contextmanager
def in_place(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` in one step when the block has ended, or leaves it as it was
    when the block raises. One process at a time. Raises `JournalError` for what the disk refuses."""
    # Always the same name: what a killed run leaves behind is written over by the next.
    draft = path.with_name(f".{path.name}.tmp")
    try:
        try:
            with draft.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}; the journal holds everything") from error
