"""The journal: append-only jsonlines beside the output, the one truth about a run.

Every line is one JSON object with a `kind` and, where it has an identity, a `key`:

    run      what was started, with which settings and versions
    stage    one settled reply of a stage (`programs.asking.reply.Reply`); a later line with the same key replaces it
    failed   a reply that gave nothing, or that a merge set aside: kept to be read, never taken for an answer; an `open` one
             is a try of no use, after which another follows
    pool     the questions of a text, those rejected with their reasons
    unit     what became of a variation: its status, its record, the attempts that were not taken
    sample   what became of a text as a whole

Any other kind can be kept as well, and found by its key. A line is written with one `write`; a thread flushes to the disk
every second. A line torn by a crash is cut off when the journal is opened again. One that is deleted or replaced while it
is open is written again, from the file that is still open; to one that is cut short nothing is written any more.
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
from programs.files import cut_torn_line, fresh, move_aside, take_lock, write_whole
from programs.run.index import Index, scan
from programs.run.old_lines import present_form

log = logging.getLogger("synthreasoner")

FLUSH_SECONDS = 1.0

START_BYTES = 64
_START = re.compile(rb'\{\s*"kind":\s*"[a-z]+",\s*"key":')
"""How every line of a journal begins."""
_KIND = re.compile(rb'\{"kind":"[a-z]*')


def is_journal(start: bytes, *, torn: bool = False) -> bool:
    """Whether a file with this beginning is taken for a journal, whose torn last line may be cut off: one that begins as a
    line does, or is empty; with `torn` also one whose first line was torn early."""
    if not start or _START.match(start):
        return True
    kind = _KIND.match(start)
    return torn and (b'","key":'.startswith(start[kind.end() :]) if kind else b'{"kind":"'.startswith(start))


class JournalReader:
    """The lines of an open journal, found by its index, in the form of this version."""

    def __init__(self, path: Path, file: int, index: Index) -> None:
        self.path, self.index, self._file = path, index, file

    def latest(self, kind: str, key: str) -> dict[str, Any] | None:
        """The newest line of this kind and key ("" for kinds without), or None."""
        position = self.index.position(kind, key)
        return None if position is None else self._read(*position)

    def variations(self, status: str | None = None) -> Iterator[dict[str, Any]]:
        """The newest line of every variation (with this status), in the order in which they first stood."""
        last = -1
        while positions := self.index.variations(last, status):
            for last, offset, length in positions:  # noqa: B007
                yield self._read(offset, length)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every line, in order, as it was written. Raises `StorageError` at a damaged one."""
        yield from (line for _, _, line in scan(self.path, 0, self.index.end))

    def _read(self, offset: int, length: int) -> dict[str, Any]:
        try:
            return present_form(orjson.loads(os.pread(self._file, length, offset)))
        except orjson.JSONDecodeError:
            raise StorageError(
                f"{self.path}.index does not fit {self.path}: another process changed one. Delete the index: it is "
                "made again from the journal."
            ) from None


class Journal(JournalReader):
    """An open journal. One process at a time: opening one that is in use raises `UserError`, as does a file that is none.
    `mended` is the number of bytes of a torn last line that were cut off."""

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
                    raise UserError(f"{path} is there already, and no journal of this program: choose another --output")
                self._size, self.mended = cut_torn_line(file)
                index = Index(Path(f"{path}.index"), path, file, self._size)
            except (OSError, sqlite3.Error) as error:
                raise _unwritten(path, error) from error
            held.callback(index.close)
            self._held = held.pop_all()
        super().__init__(path, file, index)
        if self.mended:
            log.warning("%s: a torn last line of %d bytes was cut off", path, self.mended)
        self._mutex, self._stop = threading.Lock(), threading.Event()
        self._failure: OSError | sqlite3.Error | None = None
        self._reported, self._flushed = False, self._size
        self._flusher = threading.Thread(target=self._flush_often, name="journal-flush", daemon=True)
        self._flusher.start()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, kind: str, key: str | None, **fields: Any) -> None:
        """Writes one line. Raises `StorageError` when it cannot be written whole; then nothing of it stays."""
        record = {"kind": kind, "key": key, **fields}
        line = orjson.dumps(record) + b"\n"
        with self._mutex:
            if (broken := self._broken()) is not None:
                self._reported = True
                raise _unwritten(self.path, broken) from broken
            try:
                write_whole(self._file, line, self._size)
                self.index.add(self._size, len(line), record)
            except (OSError, sqlite3.Error) as error:
                # Where the line cannot be cut off, no other follows, nor where the index failed: it may have lost more.
                try:
                    os.ftruncate(self._file, self._size)
                except OSError as worse:
                    self._failure = worse
                if isinstance(error, sqlite3.Error):
                    self._failure = error
                raise _unwritten(self.path, error) from error
            self._size += len(line)

    def flush(self) -> None:
        """Brings everything written to the disk, then the index up to it. Raises `StorageError`, as does every `append`
        that follows: an index that failed may have lost what it was told before."""
        try:
            os.fsync(self._file)
            with self._mutex:
                if (broken := self._broken()) is not None:
                    raise broken
                self._stand_in_place()
                if self._size != self._flushed:
                    self.index.commit()
                    self._flushed = self._size
        except (OSError, sqlite3.Error) as error:
            self._failure = error
            raise _unwritten(self.path, error) from error

    def close(self) -> None:
        """Flushes, and lets others open the journal. Raises `StorageError` for a failure that no `append` has raised."""
        self._stop.set()
        self._flusher.join()
        try:
            if not self._reported:
                self.flush()
        finally:
            self._held.close()

    def _broken(self) -> OSError | sqlite3.Error | None:
        """Why no line may follow: something failed before, or another process cut the file short or wrote to it."""
        size = os.fstat(self._file).st_size
        if self._failure is None and size != self._size:
            said = f"another process changed it: it has {size} bytes, and {self._size} were written"
            self._failure = OSError(0, said)
        return self._failure

    def _stand_in_place(self) -> None:
        """Writes the journal again where its name is gone, or stands for another file, which is moved aside."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(self.path.stat(), os.fstat(self._file)):
                return
        log.warning("%s was deleted or replaced while it was written to: it is written again, whole", self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = fresh(self.path, "tmp")
        with os.fdopen(os.dup(self._file), "rb") as ours, draft.open("xb") as file:
            ours.seek(0)
            shutil.copyfileobj(ours, file)
            file.flush()
            os.fsync(file.fileno())
            move_aside(self.path)
            draft.rename(self.path)
            again = os.open(self.path, os.O_RDWR)
        # In the place of the old one: whoever reads it meanwhile reads the same bytes.
        os.dup2(again, self._file)
        os.close(again)

    def _flush_often(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except StorageError:
                return  # the next append raises it


def _unwritten(path: Path, error: Exception) -> StorageError:
    return StorageError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")
