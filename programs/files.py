"""Crash-safe file operations: replacing a file atomically, moving it aside, appending whole lines, locking.

Also the names of the files beside a document, such as `NAME.journal.jsonl` for `NAME.json`."""

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
RUN_FILE_SUFFIXES = (JOURNAL, ".review.jsonl", ".labels.jsonl", ".dropped.jsonl")
"""Name endings of the files beside a document; only older versions wrote those after the first."""


def run_name(path: Path) -> str:
    """The NAME of a run, from the path of its document (NAME.json) or its journal (NAME.journal.jsonl or NAME.jsonl)."""
    return path.name.removesuffix(".jsonl").removesuffix(".journal").removesuffix(".json")


def path_beside(document: Path, ending: str) -> Path:
    """The path of the file with this name ending beside a document or a folder, which may be "."."""
    named = document if document.name else document.absolute()
    return named.with_name(f"{named.stem if named.suffix == '.json' else named.name}{ending}")


def is_run_file(path: Path, document: Path) -> bool:
    """Whether a path is the document or one of the files that a run keeps beside it."""
    path, document = (Path(os.path.realpath(name)) for name in (path, document))
    # The names of the index and the lock start with the journal's.
    of_run = path.name == document.name or path.name.startswith(path_beside(document, JOURNAL).name)
    return of_run and path.parent == document.parent


@contextlib.contextmanager
def atomic_write(path: Path, remark: str = "") -> Iterator[IO[bytes]]:
    """Opens a file that atomically replaces `path` (its target, if it is a link) when the block ends, and keeps its
    permissions; if the block raises, `path` stays as it was. Only one process at a time may do this. Raises `StorageError`,
    whose message ends with `remark`, if the file cannot be written."""
    target = Path(os.path.realpath(path))
    try:
        draft = draft_path(target, "tmp")
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


def draft_path(path: Path, what: str) -> Path:
    """A path beside `path` for a file or folder that is to be created exclusively, with a random name, so that nobody can
    plant a link there. Deletes what killed processes left under such names. Raises OSError."""
    prefix = f".{path.name}.synthreasoner-"
    # `glob` yields nothing if the folder does not exist.
    for leftover in path.parent.glob(f"{glob.escape(prefix)}*.{what}"):
        shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
    return path.with_name(f"{prefix}{secrets.token_hex(4)}.{what}")


def move_aside(*paths: Path) -> None:
    """Renames those of the files and folders that exist to NAME.TIME.old, all with the same time. Raises OSError."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    for path in paths:
        if os.path.lexists(path):
            path.rename(f"{path}.{stamp}.old")


def end_of_last_line(file: int) -> int:
    """The number of bytes up to and including the last line end. Raises OSError."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - 65536)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def truncate_torn_line(file: int) -> tuple[int, int]:
    """Truncates the file after its last line end, which removes an incomplete line. Returns the number of bytes kept and
    removed. Raises OSError."""
    size, end = os.fstat(file).st_size, end_of_last_line(file)
    if end < size:
        os.ftruncate(file, end)
    return end, size - end


def write_all(file: int, line: bytes, offset: int) -> None:
    """Writes all of a line at `offset`. Raises OSError, after which part of the line may have been written."""
    written = 0
    while written < len(line):
        written += os.pwrite(file, line[written:], offset + written)


def take_lock(path: Path, *, holder: str = "run", advice: str = "choose another --output") -> BaseFileLock:
    """Takes and returns the lock `PATH.lock` on a file that one process at a time may write. Raises `UserError` if another
    `holder` has it, if the lock's path is a file of someone else's, which would be emptied, or if it cannot be written; the
    first two end with `advice`. The operating system frees the lock when the process ends. File systems without such
    locks, and links in the lock's place, are rejected: filelock's fallback can be taken from a process that is alive."""
    lock_path = Path(f"{path}.lock")
    if lock_path.is_file() and lock_path.stat().st_size:
        raise UserError(f"{lock_path} exists and is not a lock of this program: move it away, or {advice}")
    lock = FileLock(lock_path, timeout=0, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise UserError(f"{path} is in use by another {holder}; wait for it or {advice}") from None
    except OSError as error:
        raise UserError(f"cannot write {path} or beside it: {error.strerror}") from error
    return lock
