"""Reads documents, tables and data sets of the Hub in a process of their own, one at a time: one that hangs, crashes or
fills memory is skipped, and what a hostile or damaged file does to that process, it does to nothing else.

Over one connection it is sent what to read, then a document's bytes, and sends back each `Answer`, all as JSON. It ends
when the connection does.
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
from programs.inputs.formats.rows import PREFIX, HubName, opened, records
from programs.inputs.jsonl import DEFAULT_LINE_LIMIT
from programs.inputs.report import Skip, Unreadable
from programs.inputs.sample import bytes_id

SECONDS = 300
"""That one document may take. A long paper takes ten."""
MEMORY = 4 * 2**30
"""Bytes of address space. Papers take a tenth of it."""

_PACKAGE = Path(__file__).resolve().parents[1]
# Of the outermost package: in the wheel that is one above. What `sys.path` has may hang on where a notebook was started.
_IMPORTED_FROM = Path(__file__).resolve().parents[__name__.count(".")]
log = logging.getLogger("synthreasoner")


class Answer(BaseModel):
    """A part of what was read (a paper, or a row as a `record`, with the hash of its values, or why it gives none) or, when
    it is `over`, why there is no more: `refused` is the user's to mend, `failed` ends the run."""

    paper: Paper | None = None
    digest: str = ""
    record: dict[str, Any] | Skip = {}
    over: bool = False
    reason: Skip | None = None
    refused: str = ""
    failed: str = ""
    detail: str = ""


class ReaderProcess:
    """Reads one thing after another, in a process that is started with the first one."""

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.closed = False
        self._seconds, self._memory = seconds, memory
        self._starting = threading.Lock()
        self._running: tuple[subprocess.Popen[bytes], Connection] | None = None

    def paper(self, ending: str, data: bytes) -> Paper:
        """The paper that a document is. Raises `Unreadable`."""
        papers = [answer.paper for answer in self._answers("document", ending, data=data) if answer.paper is not None]
        if not papers:
            raise Unreadable(Skip.CRASHED)
        return papers[0]

    def rows(self, name: Path | HubName, text_field: str) -> Iterator[Answer]:
        """The rows of a table, lazily. Raises `Unreadable`, and `FatalError` where the Hub stops to answer."""
        written = name if isinstance(name, HubName) else name.absolute()
        return self._answers("rows", str(written), text_field)

    def look(self, name: HubName) -> None:
        """Asks the Hub for a data set. Raises `UserError` in one line where it is not there or may not be read."""
        list(self._answers("look", str(name)))

    def close(self) -> None:
        """Ends the process and those that it has started, from any thread: whoever reads then gets `RunStopped`."""
        self.closed = True
        self._end()

    def _end(self) -> None:
        with self._starting:
            running, self._running = self._running, None
        if running is not None:
            os.killpg(running[0].pid, signal.SIGKILL)
            # One that a file system holds ends when that lets it go.
            with contextlib.suppress(subprocess.TimeoutExpired):
                running[0].wait(timeout=5)

    def _connection(self) -> Connection:
        """The connection to the process, which is started where there is none."""
        with self._starting:
            if self.closed:
                raise RunStopped
            if self._running is None:
                ours, theirs = Pipe()
                with theirs:
                    self._running = _start(theirs, self._memory), ours
            return self._running[1]

    def _answers(self, kind: str, name: str, text_field: str = "", data: bytes = b"") -> Iterator[Answer]:
        """What the process answers to what `done` is asked, but its last word."""
        pipe, over = self._connection(), False
        end = time.monotonic() + self._seconds if kind == "document" else None
        try:
            pipe.send_bytes(json.dumps((kind, name, text_field)).encode())
            pipe.send_bytes(data)
            while not over:
                if not pipe.poll(None if end is None else max(0.0, end - time.monotonic())):
                    raise Unreadable(Skip.TOO_SLOW)
                answer = Answer.model_validate_json(pipe.recv_bytes())
                if not (over := answer.over):
                    yield answer
        except (EOFError, OSError, ValueError) as error:
            raise RunStopped() if self.closed else Unreadable(Skip.CRASHED) from error
        finally:
            if not over:
                self._end()
        if answer.refused:
            raise UserError(answer.refused)
        if answer.failed:
            raise FatalError(answer.failed)
        if answer.reason is not None:
            log.info("not read: %s: %s", answer.reason.value, answer.detail)
            raise Unreadable(answer.reason)


def _start(pipe: Connection, memory: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "programs.inputs.process", str(pipe.fileno()), str(memory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_IMPORTED_FROM), *filter(None, map(str, sys.path))])},
        pass_fds=[pipe.fileno()],
        # Ctrl-C is for the run, which then ends this itself.
        start_new_session=True,
    )


def main() -> None:
    pipe = Connection(int(sys.argv[1]))
    wanted, (_, most) = int(sys.argv[2]), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    with contextlib.suppress(EOFError, OSError):
        while True:
            kind, name, text_field = json.loads(pipe.recv_bytes())
            for answer in done(kind, name, text_field, pipe.recv_bytes()):
                pipe.send_bytes(orjson.dumps(answer.model_dump(mode="json", exclude_defaults=True)))


def done(kind: str, name: str, text_field: str, data: bytes) -> Iterator[Answer]:
    """Reads a "document", by its name's ending, or the "rows" of a Parquet file or a data set, or sees whether that is
    there ("look"). The last answer is that it is over, and why, where something is wrong."""
    why: dict[str, Any] = {}
    try:
        yield from _parts(kind, name, text_field, data)
    except Unreadable as problem:
        why = {"reason": problem.reason, "detail": repr(problem.__cause__)}
    except (UserError, FatalError) as error:
        why = {"refused" if isinstance(error, UserError) else "failed": str(error)}
    except MemoryError as error:
        why = {"reason": Skip.TOO_LARGE, "detail": repr(error)}
    except RecursionError as error:
        why = {"reason": Skip.NESTED_TOO_DEEP, "detail": repr(error)}
    except Exception as error:
        # Libraries raise all sorts of things over damaged files; what is raised in our own lines is no fault of the file's.
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = Skip.OUR_FAULT if Path(where.filename).is_relative_to(_PACKAGE) else Skip.DAMAGED
        why = {"reason": reason, "detail": f"{error!r} in {where.filename}, line {where.lineno}"}
    yield Answer(over=True, **why)


def _parts(kind: str, name: str, text_field: str, data: bytes) -> Iterator[Answer]:
    if kind == "document":
        yield Answer(paper=reader_of(name)(data))
    elif kind == "look":
        opened(HubName.parse(name))
    else:
        for record in records(HubName.parse(name) if name.startswith(PREFIX) else Path(name), text_field):
            written = b"" if isinstance(record, Skip) else orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
            said = Skip.LINE_TOO_LONG if len(written) > DEFAULT_LINE_LIMIT else record
            yield Answer(digest=bytes_id(written), record=said)


if __name__ == "__main__":
    main()
