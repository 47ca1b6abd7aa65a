"""Files that a crash cannot tear: written as a whole, moved aside, appended to by the line.

And what the files beside a document are called: `NAME.journal.jsonl` for `NAME.json`."""

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

from filelock import BaseFileLock, FileLock, Timeout

from programs.errors import StorageError, UserError

JOURNAL = ".journal.jsonl"
ENDINGS = (JOURNAL, ".review.jsonl", ".labels.jsonl", ".dropped.jsonl")
"""How the names of files beside a document end; older versions wrote all but the first."""


def run_name(path: Path) -> str:
    """NAME of a run's document NAME.json, or of its journal, whatever that is called."""
    return path.name.removesuffix(".jsonl").removesuffix(".journal").removesuffix(".json")


def beside(document: Path, ending: str) -> Path:
    """The file with this ending beside a document, or beside a folder: "." has a name too."""
    named = document if document.name else document.absolute()
    return named.with_name(f"{named.stem if named.suffix == '.json' else named.name}{ending}")


def is_of_run(path: Path, document: Path) -> bool:
    """Whether a path names a document or one of the files that a run keeps beside it."""
    found, own = (Path(os.path.realpath(name)) for name in (path, document))
    # The index and the lock have the journal's name, and more.
    kept = found.name == own.name or found.name.startswith(beside(own, JOURNAL).name)
    return kept and found.parent == own.parent


@contextlib.contextmanager
def in_place(path: Path, remark: str = "") -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` (of what it points to, where it is a link) in one step when the
    block has ended, with its permissions, or leaves it as it was when the block raises. One process at a time. Raises
    `StorageError` for what the disk refuses, whose message ends with the `remark`."""
    target = Path(os.path.realpath(path))
    try:
        draft = fresh(target, "tmp")
        try:
            with draft.open("xb") as file:
                with contextlib.suppress(OSError):
                    shutil.copymode(target, draft)
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}{remark}") from error


def fresh(path: Path, what: str) -> Path:
    """A name beside `path` for a file or folder that is to be made exclusively: nobody can have laid a link there. What a
    process that was killed left under such a name is deleted. Raises OSError."""
    begins = f".{path.name}.synthreasoner-"
    # `glob` gives nothing where there is no such folder.
    for left in path.parent.glob(f"{glob.escape(begins)}*.{what}"):
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    return path.with_name(f"{begins}{secrets.token_hex(4)}.{what}")


def move_aside(*paths: Path) -> None:
    """Renames those of these files and folders that exist to NAME.TIME.old, all with the same time. Raises OSError."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    for path in paths:
        if os.path.lexists(path):
            path.rename(f"{path}.{stamp}.old")


def whole_lines(file: int) -> int:
    """The bytes up to the last line end. Raises OSError."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - 65536)
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
    written = 0
    while written < len(line):
        written += os.pwrite(file, line[written:], offset + written)


def take_lock(path: Path, *, user: str = "run", instead: str = "choose another --output") -> BaseFileLock:
    """The lock on a file that one process writes, which lies beside it, taken. Raises `UserError` where another `user` has
    it, where the lock's own file is somebody's and would be emptied, saying what to do `instead`, or where nothing can be
    written. The system holds it, so it is gone with its process. A file system without such locks, and a link that lies
    there, are refused: what filelock does there instead can be taken from a process that is alive."""
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
