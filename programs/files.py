"""Files that a crash cannot tear: written as a whole, moved aside, appended to by the line.

And what the files beside a document are called: `NAME.KIND.jsonl` for `NAME.json`."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Literal, get_args

from filelock import BaseFileLock, FileLock

from programs.errors import JournalError

Kind = Literal["journal", "dropped", "review", "labels"]


def beside(document: Path, kind: Kind) -> Path:
    """The file of this kind beside a document."""
    return document.with_name(f"{stem_of(document)}{ending_of(kind)}")


def stem_of(document: Path) -> str:
    """What the names of a document and of what lies beside it have in common: NAME."""
    return document.stem if document.suffix == ".json" else document.name


def ending_of(kind: Kind) -> str:
    """What the names of this kind end with."""
    return f".{kind}.jsonl"


ENDINGS = tuple(ending_of(kind) for kind in get_args(Kind))


@contextlib.contextmanager
def in_place(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` in one step when the block has ended, or leaves it as it was
    when the block raises. A link stays one: what it points to is replaced. One process at a time. Raises `JournalError`
    for what the disk refuses."""
    path = Path(os.path.realpath(path))
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


def move_aside(*paths: Path) -> None:
    """Renames those of these files and folders that exist to NAME.TIME.old, all with the same time. Raises OSError."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    for path in paths:
        if path.exists():
            path.rename(path.with_name(f"{path.name}.{stamp}.old"))


BLOCK = 65536


def whole_lines(file: int) -> int:
    """The bytes up to the last line end. Raises OSError."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - BLOCK)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def cut_torn_line(file: int) -> tuple[int, int]:
    """Cuts off what stands after the last line end, which was never whole. Gives the bytes that are left and those that
    went. Raises OSError."""
    size, end = os.fstat(file).st_size, whole_lines(file)
    if end < size:
        os.ftruncate(file, end)
    return end, size - end


def write_whole(file: int, line: bytes, offset: int) -> None:
    """Writes all of a line at `offset`. Raises OSError; some of it may then stand there."""
    written = os.pwrite(file, line, offset)
    while written < len(line):
        written += os.pwrite(file, line[written:], offset + written)


def lock_on(path: Path | str, *, thread_local: bool = True) -> BaseFileLock:
    """A lock, not yet taken; whoever takes it must not wait, and say who has it.

    The system holds it, so it is gone with its process. On a file system without such locks taking it raises OSError:
    what filelock does there instead can be taken from a process that is alive.
    """
    return FileLock(path, timeout=0, thread_local=thread_local, fallback_to_soft=False)


def open_database(
    path: Path, schema: str, name: str, made_for: str, *, check_same_thread: bool = True
) -> sqlite3.Connection:
    """The database at `path` with the tables of `schema`, empty unless its `meta` says `made_for` under this name. Raises
    OSError and sqlite3.Error where it cannot be written."""
    database = sqlite3.connect(path, check_same_thread=check_same_thread)
    if _said(database, path, name) not in (None, made_for):
        database.close()
        remove_database(path)
        database = sqlite3.connect(path, check_same_thread=check_same_thread)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = normal")
    database.executescript(schema)
    database.execute("insert or ignore into meta values (?, ?)", (name, made_for))
    database.commit()
    return database


def remove_database(path: Path) -> None:
    """Deletes a database and what SQLite lays beside it."""
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)


def _said(database: sqlite3.Connection, path: Path, name: str) -> str | None:
    """What a database was made for, None for a new one, something else for a file that is none or was cut off."""
    try:
        if path.stat().st_size % database.execute("pragma page_size").fetchone()[0]:
            return "cut off"
        if not database.execute("select name from sqlite_master where name = 'meta'").fetchall():
            return None
        row = database.execute("select value from meta where name = ?", (name,)).fetchone()
    except sqlite3.DatabaseError:
        return "damaged"
    return str(row[0]) if row else "unknown"
