"""Reads documents, tables and data sets of the Hub in a process of their own, one at a time: one that hangs, crashes or
fills memory is skipped, and what a hostile or damaged file does to that process, it does to nothing else.

Over one connection it is sent a `ReadRequest` as JSON, then a document's bytes, and sends back JSON, each an `Answer`, the
last of which is `over`. It ends when the connection does.
"""

from __future__ import annotations

import contextlib
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
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ValidationError

from programs.errors import FatalError, RunStopped, UserError
from programs.inputs.formats import reader_of
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.rows import HubName, opened, records
from programs.inputs.jsonl import DEFAULT_LINE_LIMIT
from programs.inputs.report import Skip, Unreadable
from programs.inputs.sample import bytes_id

SECONDS = 300
"""That one document may take. A long paper takes ten."""
MEMORY = 4 * 2**30
"""Bytes of address space. Papers take a tenth of it."""

_HOME = Path(__file__).resolve().parents[2]
_IMPORTED_FROM = Path(__file__).resolve().parents[__name__.count(".")]
"""The folder of the outermost package: in the wheel that is one above."""
log = logging.getLogger("synthreasoner")


class ReadRequest(BaseModel):
    """What is to be read: a document, by its name's ending; the rows of a Parquet file, or of a data set; or, of a data
    set, only whether it is there."""

    kind: Literal["document", "parquet", "hub", "look"]
    name: str
    text_field: str = ""


class Answer(BaseModel):
    """A part of what was read (a paper, or a row as a `record`, with the hash of its values, or why it gives none), or why
    there is no more: `refused` is the user's to mend, `failed` ends the run."""

    paper: Paper | None = None
    digest: str = ""
    record: dict[str, Any] | Skip = {}
    reason: Skip | None = None
    refused: str = ""
    failed: str = ""
    detail: str = ""
    over: bool = False


class ReaderProcess:
    """Reads one thing after another; the process is started with the first one and ends with `close`, which any thread may
    call: whoever reads then gets `RunStopped`."""

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.closed = False
        self._seconds, self._memory = seconds, memory
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def paper(self, ending: str, data: bytes) -> Paper:
        """The paper that a document is. Raises `Unreadable`."""
        found: Paper | None = None
        for answer in self._answers(ReadRequest(kind="document", name=ending), data, self._seconds):
            found = answer.paper
        if found is None:
            raise Unreadable(Skip.CRASHED)
        return found

    def rows(self, name: Path | HubName, text_field: str) -> Iterator[Answer]:
        """The rows of a table, lazily. Raises `Unreadable`, and `FatalError` where the Hub stops to answer."""
        if isinstance(name, HubName):
            return self._answers(ReadRequest(kind="hub", name=str(name), text_field=text_field))
        written = os.fsencode(name.absolute()).hex()
        return self._answers(ReadRequest(kind="parquet", name=written, text_field=text_field))

    def look(self, name: HubName) -> None:
        """Asks the Hub for a data set. Raises `UserError` in one line where it is not there or may not be read."""
        for _ in self._answers(ReadRequest(kind="look", name=str(name))):
            pass

    def close(self) -> None:
        """Ends the process and those that it has started, whatever they are doing. None is started any more."""
        self.closed = True
        self._end()

    def _end(self) -> None:
        with self._starting:
            process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            # One that a file system holds ends when that lets it go.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)

    def _started(self) -> Connection:
        """The connection to the process, which is started where there is none."""
        with self._starting:
            if self.closed:
                raise RunStopped
            if self._process is None or self._pipe is None:
                self._pipe, theirs = Pipe()
                with theirs:
                    self._process = _start(theirs, self._memory)
            return self._pipe

    def _answers(self, job: ReadRequest, data: bytes = b"", seconds: float | None = None) -> Iterator[Answer]:
        """What the process answers within so many seconds (None: any number), but its last word."""
        pipe, over, began = self._started(), False, time.monotonic()
        try:
            pipe.send_bytes(job.model_dump_json().encode())
            pipe.send_bytes(data)
            while True:
                if not pipe.poll(None if seconds is None else max(0.0, began + seconds - time.monotonic())):
                    raise Unreadable(Skip.TOO_SLOW)
                answer = Answer.model_validate_json(pipe.recv_bytes())
                if over := answer.over:
                    _raise(answer)
                    return
                yield answer
        except (EOFError, OSError, ValidationError) as error:
            raise RunStopped() if self.closed else Unreadable(Skip.CRASHED) from error
        finally:
            if not over:
                self._end()


def _raise(answer: Answer) -> None:
    if answer.refused:
        raise UserError(answer.refused)
    if answer.failed:
        raise FatalError(answer.failed)
    if answer.reason is not None:
        log.info("not read: %s: %s", answer.reason.value, answer.detail)
        raise Unreadable(answer.reason)


def _start(pipe: Connection, memory: int) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(_IMPORTED_FROM), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "programs.inputs.process", str(pipe.fileno()), str(memory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        pass_fds=[pipe.fileno()],
        # Ctrl-C is for the run, which then ends this itself.
        start_new_session=True,
    )


def main() -> int:
    """The process itself."""
    pipe = Connection(int(sys.argv[1]))
    wanted, (_, most) = int(sys.argv[2]), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    with contextlib.suppress(EOFError, OSError):
        while True:
            job = ReadRequest.model_validate_json(pipe.recv_bytes())
            for answer in done(job, pipe.recv_bytes()):
                pipe.send_bytes(orjson.dumps(answer.model_dump(mode="json", exclude_defaults=True)))
    return 0


def done(job: ReadRequest, data: bytes) -> Iterator[Answer]:
    """What a job gives; the last one is `over`, and says why there is no more where something is wrong."""
    try:
        yield from _parts(job, data)
        yield Answer(over=True)
    except Unreadable as problem:
        yield Answer(over=True, reason=problem.reason, detail=repr(problem.__cause__))
    except (UserError, FatalError) as error:
        yield Answer(over=True, **{"refused" if isinstance(error, UserError) else "failed": str(error)})
    except MemoryError as error:
        yield Answer(over=True, reason=Skip.TOO_LARGE, detail=repr(error))
    except RecursionError as error:
        yield Answer(over=True, reason=Skip.NESTED_TOO_DEEP, detail=repr(error))
    except Exception as error:
        # Libraries raise all sorts of things over damaged files; what is raised in our own lines is no fault of the file's.
        where = traceback.extract_tb(error.__traceback__)[-1]
        ours = Path(where.filename).is_relative_to(_HOME / "programs")
        detail = f"{error!r} in {where.filename}, line {where.lineno}"
        yield Answer(over=True, reason=Skip.OUR_FAULT if ours else Skip.DAMAGED, detail=detail)


def _parts(job: ReadRequest, data: bytes) -> Iterator[Answer]:
    if job.kind == "document":
        yield Answer(paper=reader_of(job.name)(data))
    elif job.kind == "look":
        opened(HubName.parse(job.name))
    else:
        name = HubName.parse(job.name) if job.kind == "hub" else Path(os.fsdecode(bytes.fromhex(job.name)))
        for record in records(name, job.text_field):
            written = b"" if isinstance(record, Skip) else orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
            said = Skip.LINE_TOO_LONG if len(written) > DEFAULT_LINE_LIMIT else record
            yield Answer(digest=bytes_id(written), record=said)


if __name__ == "__main__":
    sys.exit(main())
