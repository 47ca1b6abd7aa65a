"""The journal: an append-only JSON Lines file beside the output, the single source of truth about a run.

Every line is one JSON object with a `kind` and, if it has an identity, a `key`:

    run      a run's settings and versions, at its start; at its end also its summary
    stage    a settled reply of a stage (`programs.asking.reply.Reply`); a later line with the same key replaces it
    failed   a reply that leaves its stage unsettled (or, in older versions, that a merge set aside), kept for the record.
             After one with the status `open` another try follows
    pool     the questions of a text, and the rejected ones with their reasons
    unit     the outcome of a variation: its status, the record that was kept, and the other attempts
    sample   the outcome of a text as a whole

Lines of other kinds may be added and are found by their keys. A thread flushes the file to disk every second. A line torn
by a crash is cut off when the journal is next opened. If the file is deleted or replaced while it is open, it is written
again from the open descriptor; if another process changes its length, nothing more is written to it.
"""

import contextlib
import logging
import os
import re
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from programs.errors import StorageError, UserError
from programs.files import draft_path, move_aside, take_lock, truncate_torn_line, write_all
from programs.run.index import Index, scan_lines
from programs.run.old_lines import upgrade_line

log = logging.getLogger("synthreasoner")

FLUSH_SECONDS = 1.0

START_BYTES = 64
_LINE_START_RE = re.compile(rb'\{\s*"kind":\s*"[a-z]+",\s*"key":')
"""The start of every line of a journal."""
_KIND_RE = re.compile(rb'\{"kind":"[a-z]*')


def is_journal(start: bytes, *, torn: bool = False) -> bool:
    """Whether a file with this start counts as a journal, whose torn last line may be cut off: it is empty or starts like a
    line; with `torn`, its first line may also be torn early."""
    if not start or _LINE_START_RE.match(start):
        return True
    kind = _KIND_RE.match(start)
    return torn and (b'","key":'.startswith(start[kind.end() :]) if kind else b'{"kind":"'.startswith(start))


class JournalReader:
    """Reads the lines of an open journal through its index, in the form of this version."""

    def __init__(self, path: Path, file: int, index: Index) -> None:
        self.path, self.index = path, index
        self._file = file

    def latest(self, kind: str, key: str) -> dict[str, Any] | None:
        """The newest line of this kind and key ("" for kinds without keys), or None."""
        position = self.index.position(kind, key)
        return None if position is None else self._read(*position)

    def variations(self, status: str | None = None) -> Iterator[dict[str, Any]]:
        """Yields the newest line of every variation (with this status), in the order of their first lines."""
        last = -1
        while positions := self.index.variations(last, status):
            for last, offset, length in positions:  # noqa: B007
                yield self._read(offset, length)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yields every line, in order, as it was written. Raises `StorageError` at a damaged one."""
        yield from (line for _, _, line in scan_lines(self.path, 0, self.index.end))

    def _read(self, offset: int, length: int) -> dict[str, Any]:
        try:
            return upgrade_line(orjson.loads(os.pread(self._file, length, offset)))
        except orjson.JSONDecodeError:
            raise StorageError(
                f"{self.path}.index does not match {self.path}: another process changed one. Delete the index: it will be "
                "rebuilt from the journal."
            ) from None


class Journal(JournalReader):
    """An open journal, which one process can use at a time. Raises `UserError` if it is in use, cannot be opened or is not
    a journal, `StorageError` if it is damaged. `torn_bytes`: how many bytes of a torn last line were cut off."""

    def __init__(self, path: Path) -> None:
        with contextlib.ExitStack() as held:
            held.callback(take_lock(path).release)
            try:
                file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                raise UserError(f"cannot write {path} or beside it: {error.strerror}") from error
            held.callback(os.close, file)
            try:
                if not is_journal(os.pread(file, START_BYTES, 0), torn=True):
                    raise UserError(f"{path} exists and is not a journal of this program: choose another --output")
                self._size, self.torn_bytes = truncate_torn_line(file)
                index = Index(Path(f"{path}.index"), path, file, self._size)
            except (OSError, sqlite3.Error) as error:
                raise _write_error(path, error) from error
            held.callback(index.close)
            self._held = held.pop_all()
        super().__init__(path, file, index)
        if self.torn_bytes:
            log.warning("%s: a torn last line of %d bytes was cut off", path, self.torn_bytes)
        self._mutex, self._stop = threading.Lock(), threading.Event()
        self._failure: OSError | sqlite3.Error | None = None
        self._reported, self._flushed = False, self._size
        self._flusher = threading.Thread(target=self._flush_regularly, name="journal-flush", daemon=True)
        self._flusher.start()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, kind: str, key: str | None, **fields: Any) -> None:
        """Writes one line. Raises `StorageError` if it cannot be written whole; a partial line is cut off again."""
        record = {"kind": kind, "key": key, **fields}
        line = orjson.dumps(record) + b"\n"
        with self._mutex:
            if (failure := self._find_failure()) is not None:
                self._reported = True
                raise _write_error(self.path, failure) from failure
            try:
                write_all(self._file, line, self._size)
                self.index.add(self._size, len(line), record)
            except (OSError, sqlite3.Error) as error:
                # No line may follow a partial one, nor a failure of the index, which may have lost earlier lines.
                try:
                    os.ftruncate(self._file, self._size)
                except OSError as truncate_error:
                    self._failure = truncate_error
                if isinstance(error, sqlite3.Error):
                    self._failure = error
                raise _write_error(self.path, error) from error
            self._size += len(line)

    def flush(self) -> None:
        """Flushes the journal to disk (fsync), then commits the index. If that fails, this and every later `append` raise
        `StorageError`, because an index that failed may have lost earlier lines."""
        try:
            os.fsync(self._file)
            with self._mutex:
                if (failure := self._find_failure()) is not None:
                    raise failure
                self._restore_file()
                if self._size != self._flushed:
                    self.index.commit()
                    self._flushed = self._size
        except (OSError, sqlite3.Error) as error:
            self._failure = error
            raise _write_error(self.path, error) from error

    def close(self) -> None:
        """Flushes and unlocks the journal. Raises `StorageError` if it has failed and no `append` was refused for that."""
        self._stop.set()
        self._flusher.join()
        try:
            if not self._reported:
                self.flush()
        finally:
            self._held.close()

    def _find_failure(self) -> OSError | sqlite3.Error | None:
        """Why no more lines may be written: an earlier failure, or another process changed the file's length."""
        size = os.fstat(self._file).st_size
        if self._failure is None and size != self._size:
            message = f"another process changed it: it has {size} bytes instead of {self._size}"
            self._failure = OSError(0, message)
        return self._failure

    def _restore_file(self) -> None:
        """Writes the journal again if its path is gone or names another file, which is moved aside."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(self.path.stat(), os.fstat(self._file)):
                return
        log.warning("%s was deleted or replaced during the run: it is written again in full", self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = draft_path(self.path, "tmp")
        with os.fdopen(os.dup(self._file), "rb") as source, draft.open("xb") as file:
            source.seek(0)
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
            move_aside(self.path)
            draft.rename(self.path)
            descriptor = os.open(self.path, os.O_RDWR)
        # Keeps the number of the descriptor: concurrent readers keep using it and find the same bytes.
        os.dup2(descriptor, self._file)
        os.close(descriptor)

    def _flush_regularly(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except StorageError:
                return  # the next append raises it


def _write_error(path: Path, error: Exception) -> StorageError:
    return StorageError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")
