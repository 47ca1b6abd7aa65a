"""The journal of a compilation's calls: `calls.jsonl` in the artifact's folder, one line for each answered call.

A line is written with one `write` as soon as the answer is there, so a killed process loses nothing it wrote; it is
brought to the disk at most a second's calls later, so a power cut loses at most those. A last line torn by a crash is
cut off when the journal is opened again. The replies hold text about the training passages.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from types import TracebackType
from typing import Literal

import orjson
from filelock import Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from programs.errors import JournalError, UserError
from programs.files import cut_torn_line, lock_on, write_whole

Purpose = Literal["student", "judge", "report-judge", "proposer"]
"""What a call was for: the program that is tuned, the judge that tunes it, the judge that reports, or the model that
writes instructions."""


@dataclass(frozen=True)
class Spend:
    """A number of answered calls, their tokens as the servers count them (those of failed tries of the same call too),
    and the seconds of waiting. `uncounted` calls came without a count of tokens: the sums are then too low."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    uncounted: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            uncounted=self.uncounted + other.uncounted,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True)
class Account:
    """By purpose: what was paid for over all sessions of a compilation, and what the present one replayed for nothing."""

    paid: Mapping[Purpose, Spend]
    replayed: Mapping[Purpose, Spend]

    @property
    def all_paid(self) -> Spend:
        """What was paid for any purpose."""
        return reduce(add, self.paid.values(), Spend())

    @property
    def all_replayed(self) -> Spend:
        """What was replayed for any purpose."""
        return reduce(add, self.replayed.values(), Spend())


NAME = "calls.jsonl"
FLUSH_SECONDS = 1.0


class Call(BaseModel):
    """An answered call. `key` (32 hexadecimal digits) stands for all that decides the answer; the rest is the answer,
    what it cost, and, for readers, who gave it.

    `error` is set, and `text` None, where the answer ran into its token limit. Tokens are None where the server did not
    count them. `attempts` are HTTP requests, failed ones too (0 where DSPy made them). `schema_refused`: when the answer
    came, the server was known not to take JSON schemas, so that the calls that followed were worded otherwise.
    """

    model_config = ConfigDict(extra="forbid")

    key: str = Field(pattern=r"^[0-9a-f]{32}$")
    purpose: Purpose
    endpoint: str
    model: str
    rollout: int | str | None = None
    text: str | None
    reasoning: str = ""
    finish_reason: str = "stop"
    error: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    attempts: int = 0
    seconds: float = 0.0
    schema_refused: bool = False

    @property
    def spend(self) -> Spend:
        """What the call cost when it was made."""
        return Spend(
            calls=1,
            prompt_tokens=self.prompt_tokens or 0,
            completion_tokens=self.completion_tokens or 0,
            cached_tokens=self.cached_tokens or 0,
            uncounted=int(self.prompt_tokens is None or self.completion_tokens is None),
            seconds=self.seconds,
        )


class CallJournal:
    """The open journal of a folder. One process at a time; safe to share between threads.

    `mended` is the number of bytes of a torn last line that were cut off. `paid` sums up all lines by purpose. Memory:
    about 300 bytes a call, since only the places of the lines are held. Raises `UserError` when another process has it
    open or the folder cannot be written, `JournalError` when a line is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.mended = 0
        self.paid: dict[Purpose, Spend] = {}
        self._places: dict[bytes, tuple[int, int]] = {}
        self._mutex = threading.Lock()
        self._failure: OSError | None = None
        # The last call that comes back closes the journal, in whichever thread that is.
        self._lock_file = lock_on(f"{self.path}.lock", thread_local=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file.acquire()
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except Timeout:
            raise UserError(f"{folder} is in use by another compile: wait for it, or choose another --output") from None
        except OSError as error:
            self._lock_file.release()
            raise UserError(f"cannot write {self.path}: {error.strerror}") from error
        try:
            self._size, self.mended = cut_torn_line(self._file)
            for offset, length, call in self._scan():
                self._note(call, offset, length)
        except BaseException:
            self._release()
            raise
        self._flushed_at = time.monotonic()

    def __enter__(self) -> "CallJournal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        """How many calls are recorded."""
        return sum(spend.calls for spend in self.paid.values())

    def __contains__(self, key: str) -> bool:
        with self._mutex:
            return bytes.fromhex(key) in self._places

    def get(self, key: str) -> Call | None:
        """The recorded call with this key."""
        with self._mutex:
            place = self._places.get(bytes.fromhex(key))
            if place is None:
                return None
            offset, length = place
            return Call.model_validate_json(os.pread(self._file, length, offset))

    def append(self, call: Call) -> None:
        """Writes a call. Raises `JournalError` when it cannot be written whole; then no other follows it, and what stays
        of it is cut off at the next opening."""
        line = orjson.dumps(call.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE)
        with self._mutex:
            if self._failure is not None:
                raise self._unwritten(self._failure)
            try:
                write_whole(self._file, line, self._size)
                self._flush_now_and_then()
            except OSError as error:
                self._failure = error
                raise self._unwritten(error) from error
            self._note(call, self._size, len(line))
            self._size += len(line)

    def close(self) -> None:
        """Brings everything to the disk, and lets others open the journal. Raises `JournalError`."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritten(error) from error
        finally:
            self._release()

    def _unwritten(self, error: OSError) -> JournalError:
        return JournalError(f"cannot write {self.path}: {error.strerror}")

    def _release(self) -> None:
        os.close(self._file)
        self._lock_file.release()

    def _note(self, call: Call, offset: int, length: int) -> None:
        self._places[bytes.fromhex(call.key)] = (offset, length)
        self.paid[call.purpose] = self.paid.get(call.purpose, Spend()) + call.spend

    def _flush_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._flushed_at >= FLUSH_SECONDS:
            os.fsync(self._file)
            self._flushed_at = now

    def _scan(self) -> Iterator[tuple[int, int, Call]]:
        offset = 0
        with self.path.open("rb") as file:
            for line in file:
                try:
                    call = Call.model_validate_json(line)
                except ValidationError:
                    raise JournalError(
                        f"{self.path} is damaged at byte {offset}: the line there is no recorded call. Delete that "
                        "line, or move the file aside to pay for all calls again."
                    ) from None
                yield offset, len(line), call
                offset += len(line)
