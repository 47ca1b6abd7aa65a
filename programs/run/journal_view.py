"""A journal as it stands at this moment, read without its lock: a run may be writing it."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from programs.errors import JournalError
from programs.files import whole_lines
from programs.run.index import Damaged, Index, mark, scan
from programs.run.journal import JournalReader, damaged


@contextlib.contextmanager
def viewed(path: Path) -> Iterator[JournalReader]:
    """The journal at `path`: what is written later is not seen, nor a line that is not yet whole. Its index is made anew in
    the temporary folder, so that nothing beside the journal is read or changed. Raises `JournalError` for a file that
    cannot be read or is damaged before its last line."""
    with contextlib.ExitStack() as opened:
        try:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="synthreasoner-")))
            file = os.open(path, os.O_RDONLY)
            opened.callback(os.close, file)
            size = whole_lines(file)
            index = Index(folder / "index", size, lambda offset: scan(path, offset, size), partial(mark, file))
            opened.callback(index.close)
        except Damaged as error:
            raise damaged(path, error) from None
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
        yield JournalReader(path, file, index)
