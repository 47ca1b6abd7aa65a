"""A journal read as it stands, without its lock: a run may be writing it.

Its index is made anew in the temporary folder, so that nothing beside the journal is read or changed.
"""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from programs.errors import JournalError
from programs.files import whole_lines
from programs.run.index import Damaged, Index
from programs.run.journal_lines import mark, scan


@dataclass(frozen=True)
class JournalView:
    """A journal at one moment: what is written later is not seen, and a line that is not yet whole is left out."""

    path: Path
    index: Index
    file: int

    def units(self) -> Iterator[dict[str, Any]]:
        """The newest line of every unit, in the order in which the units first stood."""
        last = -1
        while places := self.index.unit_places(None, last):
            for last, offset, length in places:  # noqa: B007
                yield self._read(offset, length)

    def latest_run(self) -> dict[str, Any]:
        """The newest line of a run; empty where there is none."""
        place = self.index.place("run", "")
        return {} if place is None else self._read(*place)

    def _read(self, offset: int, length: int) -> dict[str, Any]:
        line: dict[str, Any] = orjson.loads(os.pread(self.file, length, offset))
        return line


@contextlib.contextmanager
def viewed(path: Path) -> Iterator[JournalView]:
    """A view of the journal at `path`. Raises `JournalError` for a file that cannot be read or is damaged before its last
    line."""
    with contextlib.ExitStack() as opened:
        try:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="synthreasoner-")))
            file = os.open(path, os.O_RDONLY)
            opened.callback(os.close, file)
            size = whole_lines(file)
            index = Index(folder / "index", size, lambda offset: scan(path, offset, size), partial(mark, file))
            opened.callback(index.close)
        except Damaged as error:
            raise JournalError(f"{path} is damaged at byte {error.at}: the line there is none of a journal's") from None
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
        yield JournalView(path, index, file)
