"""Reads documents, tables and Hub data sets in a separate process, one at a time. A hostile or damaged file that crashes
this process, fills its memory or, for a document, makes it hang is skipped, and harms nothing else.

For each request, the process receives over one connection what to read (JSON) and the bytes of a document, and sends back
`Answer`s (JSON). It ends when the connection is closed.
"""

import contextlib
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from programs.errors import FatalError, RunStopped, UserError
from programs.inputs.formats import reader_of
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.rows import HUB_PREFIX, HubName, open_dataset, read_rows
from programs.inputs.jsonl import DEFAULT_LINE_LIMIT
from programs.inputs.report import SkipReason, Unreadable
from programs.inputs.sample import bytes_id

MAX_SECONDS = 300
"""Time limit for one document. A long paper takes ten."""
MAX_MEMORY = 4 * 2**30
"""Limit of the address space in bytes. Papers take a tenth of it."""

_PACKAGE = Path(__file__).resolve().parents[1]
# The folder of the outermost package (in the wheel, one level up). `sys.path` may depend on where a notebook was started.
_IMPORT_ROOT = Path(__file__).resolve().parents[__name__.count(".")]
log = logging.getLogger("synthreasoner")


class ReadMessage(BaseModel):
    """A part of what was read: a paper, or the `record` of a row (or why it has none) with the hash of its values. The last
    answer has `over` set, and any error in `reason`, `refused` (the user can fix it) or `failed` (it ends the run)."""

    paper: Paper | None = None
    digest: str = ""
    record: dict[str, Any] | SkipReason = {}
    over: bool = False
    reason: SkipReason | None = None
    refused: str = ""
    failed: str = ""
    detail: str = ""


class ReaderProcess:
    """Reads documents, tables and data sets one after another, in a process that is started on first use."""

    def __init__(self, seconds: float = MAX_SECONDS, memory: int = MAX_MEMORY) -> None:
        self.closed = False
        self._seconds, self._memory = seconds, memory
        self._lock = threading.Lock()
        self._running: tuple[subprocess.Popen[bytes], Connection] | None = None

    def read_paper(self, ending: str, data: bytes) -> Paper:
        """Reads a document. Raises `Unreadable`."""
        papers = [answer.paper for answer in self._request("document", ending, data=data) if answer.paper is not None]
        if not papers:
            raise Unreadable(SkipReason.CRASHED)
        return papers[0]

    def rows(self, name: Path | HubName, text_field: str) -> Iterator[ReadMessage]:
        """The rows of a table or data set, lazily. Raises `Unreadable`, and `FatalError` if the Hub stops responding."""
        written = name if isinstance(name, HubName) else name.absolute()
        return self._request("rows", str(written), text_field)

    def check_exists(self, name: HubName) -> None:
        """Checks a data set on the Hub. Raises a one-line `UserError` if it does not exist or may not be read."""
        list(self._request("look", str(name)))

    def close(self) -> None:
        """Kills the process and its children; callable from any thread. A concurrent reader gets `RunStopped`."""
        self.closed = True
        self._kill()

    def _kill(self) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            os.killpg(running[0].pid, signal.SIGKILL)
            # A process blocked in the file system ends only when that returns.
            with contextlib.suppress(subprocess.TimeoutExpired):
                running[0].wait(timeout=5)

    def _connection(self) -> Connection:
        """The connection to the process, which is started if it is not running."""
        with self._lock:
            if self.closed:
                raise RunStopped
            if self._running is None:
                ours, theirs = Pipe()
                with theirs:
                    self._running = _start(theirs, self._memory), ours
            return self._running[1]

    def _request(self, kind: str, name: str, text_field: str = "", data: bytes = b"") -> Iterator[ReadMessage]:
        """Sends a request for `handle_request` to the process. Yields all answers but the last, and raises the error in
        that one."""
        pipe, over = self._connection(), False
        deadline = time.monotonic() + self._seconds if kind == "document" else None
        try:
            pipe.send_bytes(json.dumps((kind, name, text_field)).encode())
            pipe.send_bytes(data)
            while not over:
                if not pipe.poll(None if deadline is None else max(0.0, deadline - time.monotonic())):
                    raise Unreadable(SkipReason.TOO_SLOW)
                answer = ReadMessage.model_validate_json(pipe.recv_bytes())
                if not (over := answer.over):
                    yield answer
        except (EOFError, OSError, ValueError) as error:
            raise RunStopped() if self.closed else Unreadable(SkipReason.CRASHED) from error
        finally:
            if not over:
                self._kill()
        if answer.refused:
            raise UserError(answer.refused)
        if answer.failed:
            raise FatalError(answer.failed)
        if answer.reason is not None:
            log.info("skipped: %s: %s", answer.reason.value, answer.detail)
            raise Unreadable(answer.reason)


def _start(pipe: Connection, memory: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "programs.inputs.process", str(pipe.fileno()), str(memory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_IMPORT_ROOT), *filter(None, map(str, sys.path))])},
        pass_fds=[pipe.fileno()],
        # Ctrl-C must reach only the run, which then ends this process itself.
        start_new_session=True,
    )


def main() -> None:
    pipe = Connection(int(sys.argv[1]))
    wanted = int(sys.argv[2])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    with contextlib.suppress(EOFError, OSError):
        while True:
            kind, name, text_field = json.loads(pipe.recv_bytes())
            for answer in handle_request(kind, name, text_field, pipe.recv_bytes()):
                pipe.send_bytes(orjson.dumps(answer.model_dump(mode="json", exclude_defaults=True)))


def handle_request(kind: str, name: str, text_field: str, data: bytes) -> Iterator[ReadMessage]:
    """Handles a request, within the process: reads a "document" (`name` is its extension) or the "rows" of a Parquet file
    or data set, or checks that a data set exists ("look"). The last answer is `over`, and holds the error if any."""
    failure: dict[str, Any] = {}
    try:
        yield from _read(kind, name, text_field, data)
    except Unreadable as problem:
        failure = {"reason": problem.reason, "detail": repr(problem.__cause__)}
    except (UserError, FatalError) as error:
        failure = {"refused" if isinstance(error, UserError) else "failed": str(error)}
    except MemoryError as error:
        failure = {"reason": SkipReason.TOO_LARGE, "detail": repr(error)}
    except RecursionError as error:
        failure = {"reason": SkipReason.NESTED_TOO_DEEP, "detail": repr(error)}
    except Exception as error:
        # Libraries raise all kinds of errors on damaged files; an error raised in our own code is not the file's fault.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        reason = SkipReason.OUR_FAULT if Path(frame.filename).is_relative_to(_PACKAGE) else SkipReason.DAMAGED
        failure = {"reason": reason, "detail": f"{error!r} in {frame.filename}, line {frame.lineno}"}
    yield ReadMessage(over=True, **failure)


def _read(kind: str, name: str, text_field: str, data: bytes) -> Iterator[ReadMessage]:
    if kind == "document":
        yield ReadMessage(paper=reader_of(name)(data))
    elif kind == "look":
        open_dataset(HubName.parse(name))
    else:
        for record in read_rows(HubName.parse(name) if name.startswith(HUB_PREFIX) else Path(name), text_field):
            encoded = b"" if isinstance(record, SkipReason) else orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
            content = SkipReason.LINE_TOO_LONG if len(encoded) > DEFAULT_LINE_LIMIT else record
            yield ReadMessage(digest=bytes_id(encoded), record=content)


if __name__ == "__main__":
    main()
