"""A journal read as it stands, without its lock: a run may be writing it.

The index beside it is copied, brought up to the whole lines that the journal holds by now, and thrown away at the end.
Nothing beside the journal is changed.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from programs.errors import JournalError
from programs.files import whole_lines
from programs.run.index import Damaged, Index, mark, scan
from programs.run.journal import JournalReader, damaged


class JournalView(JournalReader):
    """A journal at one moment: what is written later is not seen, and a line that is not yet whole is left out.

    Raises `JournalError` for a file that cannot be read or is damaged before its last line.
    """

    def __init__(self, path: Path) -> None:
        with contextlib.ExitStack() as opened:
            try:
                folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="synthreasoner-"))
                copy = Path(folder) / "index"
                _copy_index(Path(f"{path}.index"), copy)
                file = os.open(path, os.O_RDONLY)
                opened.callback(os.close, file)
                # After the index was copied, which covers nothing that is not on the disk.
                size = whole_lines(file)
                index = Index(copy, size, lambda offset: scan(path, offset, size), partial(mark, file))
                opened.callback(index.close)
            except Damaged as error:
                raise damaged(path, error) from None
            except (OSError, sqlite3.Error) as error:
                raise JournalError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
            super().__init__(path, file, index)
            self._opened = opened.pop_all()

    def __enter__(self) -> "JournalView":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._opened.close()

    def latest_run(self) -> dict[str, Any]:
        """The newest line of a run; empty where there is none."""
        return self.latest("run", "") or {}


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
