"""Files that a crash cannot tear: written as a whole, moved aside, appended to by the line.

And what the files beside a document are called: `NAME.KIND.jsonl` for `NAME.json`."""

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Literal, get_args

from filelock import BaseFileLock, FileLock, Timeout

from programs.errors import JournalError, UserError

Kind = Literal["journal", "review", "labels"]


def beside(document: Path, kind: Kind) -> Path:
    """The file of this kind beside a document."""
    return document.with_name(f"{stem_of(document)}{ending_of(kind)}")


def stem_of(document: Path) -> str:
    """What the names of a document and of what lies beside it have in common: NAME."""
    return document.stem if document.suffix == ".json" else document.name


def ending_of(kind: Kind) -> str:
    """What the names of this kind end with."""
    return f".{kind}.jsonl"


def is_of_run(path: Path, document: Path) -> bool:
    """Whether a path names a document or one of the files that a run keeps beside it."""
    found, own = (Path(os.path.realpath(name)) for name in (path, document))
    journal = beside(own, "journal").name
    names = (own.name, *(beside(own, kind).name for kind in get_args(Kind)))
    return found.parent == own.parent and (found.name in names or found.name.startswith(f"{journal}."))


ENDINGS = (*(ending_of(kind) for kind in get_args(Kind)), ".dropped.jsonl")
"""How the names of files beside a document end; older versions wrote the last."""


@contextlib.contextmanager
def in_place(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` (of what it points to, where it is a link) in one step when the
    block has ended, or leaves it as it was when the block raises. One process at a time. Raises `JournalError` for what
    the disk refuses."""
    target = Path(os.path.realpath(path))
    try:
        draft = fresh(target, "tmp")
        try:
            with draft.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}; the journal holds everything") from error


_OURS = ".synthreasoner-"


def fresh(path: Path, what: str) -> Path:
    """A name beside `path` for a file or folder that is to be made exclusively: nobody can have laid a link there. What a
    process that was killed left under such a name is deleted. Raises OSError."""
    begins = f".{path.name}{_OURS}"
    for left in path.parent.iterdir() if path.parent.is_dir() else ():
        if left.name.startswith(begins) and left.name.endswith(f".{what}"):
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    return path.with_name(f"{begins}{secrets.token_hex(4)}.{what}")


def move_aside(*paths: Path) -> None:
    """Renames those of these files and folders that exist to NAME.TIME.old, all with the same time. Raises OSError."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    for path in paths:
        if os.path.lexists(path):
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


def take_lock(path: Path, *, user: str = "run", instead: str = "choose another --output") -> BaseFileLock:
    """The lock on a file that one process writes, which lies beside it, taken. Raises `UserError` where another `user` has
    it, where the lock's own file is somebody's and would be emptied, saying what to do `instead`, or where nothing can be
    written.

    The system holds it, so it is gone with its process. A file system without such locks, and a link that lies there, are
    refused: what filelock does there instead can be taken from a process that is alive.
    """
    beside_it = Path(f"{path}.lock")
    if beside_it.is_file() and beside_it.stat().st_size:
        raise UserError(f"{beside_it} is there already, and no lock of this program: move it away, or {instead}")
    lock = FileLock(beside_it, timeout=0, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise UserError(f"{path} is in use by another {user}; wait for it or {instead}") from None
    except OSError as error:
        raise UserError(f"cannot write {path} or beside it: {error.strerror}") from error
    return lock


def open_database(
    path: Path, schema: str, name: str, made_for: str, *, check_same_thread: bool = True
) -> sqlite3.Connection:
    """The database at `path` with the tables of `schema`, empty unless its `meta` says `made_for` under this name. What is
    there and says nothing there is moved aside: it is not ours, or damaged. Raises OSError and sqlite3.Error where it
    cannot be written."""
    database = sqlite3.connect(path, check_same_thread=check_same_thread)
    said = _said(database, path, name)
    if said not in (None, made_for):
        database.close()
        remove_database(path) if said else move_aside(*_files_of(path))
        database = sqlite3.connect(path, check_same_thread=check_same_thread)
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = normal")
    database.executescript(schema)
    database.execute("insert or ignore into meta values (?, ?)", (name, made_for))
    database.commit()
    return database


def remove_database(path: Path) -> None:
    """Deletes a database and what SQLite lays beside it."""
    for name in _files_of(path):
        name.unlink(missing_ok=True)


def _files_of(path: Path) -> tuple[Path, ...]:
    return path, Path(f"{path}-wal"), Path(f"{path}-shm")


def _said(database: sqlite3.Connection, path: Path, name: str) -> str | None:
    """What a database was made for, None for a new one, "" for a file that is none, is damaged or is none of ours."""
    try:
        tables = database.execute("select name from sqlite_master").fetchall()
        whole = path.stat().st_size % database.execute("pragma page_size").fetchone()[0] == 0
        if not tables and whole:
            return None
        row = database.execute("select value from meta where name = ?", (name,)).fetchone()
    except sqlite3.DatabaseError:
        return ""
    return "" if row is None else str(row[0]) if whole else "cut off"
