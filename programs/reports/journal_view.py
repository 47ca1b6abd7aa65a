"""A journal read as it stands, without its lock: a run may be writing it.

The index beside it is copied, brought up to the whole lines that the journal holds by now, and thrown away at the end.
Nothing beside the journal is changed.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from programs.errors import JournalError
from programs.files import whole_lines
from programs.run.index import Damaged, Index
from programs.run.journal_lines import mark, scan


class JournalView:
    """A journal at one moment: what is written later is not seen, and a line that is not yet whole is left out.

    Raises `JournalError` for a file that cannot be read or is damaged before its last line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with contextlib.ExitStack() as opened:
            try:
                folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="synthreasoner-"))
                copy = Path(folder) / "index"
                _copy_index(Path(f"{path}.index"), copy)
                self._file = os.open(path, os.O_RDONLY)
                opened.callback(os.close, self._file)
                # After the index was copied, which covers nothing that is not on the disk.
                size = whole_lines(self._file)
                self._index = Index(copy, size, lambda offset: scan(path, offset, size), partial(mark, self._file))
                opened.callback(self._index.close)
            except Damaged as error:
                raise JournalError(
                    f"{path} is damaged at byte {error.at}: the line there is none of a journal's"
                ) from None
            except (OSError, sqlite3.Error) as error:
                raise JournalError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
            self._opened = opened.pop_all()

    def __enter__(self) -> "JournalView":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._opened.close()

    @property
    def index(self) -> Index:
        """States, counts and costs."""
        return self._index

    def units(self) -> Iterator[dict[str, Any]]:
        """The newest line of every unit, in the order in which the units first stood."""
        last = -1
        while places := self._index.unit_places(None, last):
            for last, offset, length in places:  # noqa: B007
                yield self._read(offset, length)

    def latest_run(self) -> dict[str, Any]:
        """The newest line of a run; empty where there is none."""
        place = self._index.place("run", "")
        return {} if place is None else self._read(*place)

    def _read(self, offset: int, length: int) -> dict[str, Any]:
        line: dict[str, Any] = orjson.loads(os.pread(self._file, length, offset))
        return line


def _copy_index(path: Path, copy: Path) -> None:
    """Copies an index while a run may be writing to it. Without one, or with one that cannot be read, there is none: it
    can be made from the journal."""
    in_use = Path(f"{path}-wal")
    try:
        if in_use.exists():
            _back_up(path, copy)
            return
        # SQLite would leave files beside an index that nobody has open.
        before = path.stat()
        shutil.copyfile(path, copy)
        after = path.stat()
        if in_use.exists() or (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            copy.unlink()
    except (OSError, sqlite3.Error):
        copy.unlink(missing_ok=True)


def _back_up(path: Path, copy: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as found,
        contextlib.closing(sqlite3.connect(copy)) as mine,
    ):
        found.backup(mine)
