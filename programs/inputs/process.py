"""Reads documents in a process of their own, one at a time: one that hangs, crashes or fills memory is skipped, and what a
hostile or damaged file does to that process, it does to nothing else.

Its standard input: a line of JSON (`ending`, `size`), then so many bytes; its standard output: one line of JSON for each,
`paper`, or `reason` and `detail`. It ends with its input.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from programs.inputs.formats import reader_of
from programs.inputs.formats.paper import Paper
from programs.inputs.report import Skip, Unreadable

SECONDS = 300
"""That one document may take. A long paper takes ten."""
MEMORY = 4 * 2**30
"""Bytes of address space. Papers take a tenth of it."""
PAUSE = 0.0002
"""Seconds between two looks whether a document is read."""


_HOME = Path(__file__).resolve().parents[2]
log = logging.getLogger("synthreasoner")


class ReaderProcess:
    """Reads one document after another; the process is started with the first one and ends with `close`."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def steps(self, ending: str, data: bytes) -> Iterator[Paper | None]:
        """None while the document is being read, every PAUSE seconds; then the paper. Raises `Unreadable`."""
        process = self._process = self._process or _started()
        assert process.stdin is not None
        assert process.stdout is not None
        end, answer = time.monotonic() + self._seconds, b""
        # It may have ended, which the empty answer then says.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"ending": ending, "size": len(data)}).encode() + b"\n" + data)
            process.stdin.flush()
        while not select.select([process.stdout], [], [], PAUSE)[0] and time.monotonic() < end:
            yield None
        if late := time.monotonic() >= end:
            self.close()
        else:
            answer = process.stdout.readline()
        told: dict[str, Any] = json.loads(answer) if answer.endswith(b"\n") else {}
        if not told:
            self.close()
        if "paper" not in told:
            reason = Skip(told.get("reason") or (Skip.TOO_SLOW if late else Skip.CRASHED))
            log.info("not read: %s: %s", reason.value, told.get("detail"))
            raise Unreadable(reason)
        yield Paper.model_validate(told["paper"])

    def close(self) -> None:
        """Ends the process and those that it has started, whatever they are doing."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _started() -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(_HOME), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "programs.inputs.process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
        # Ctrl-C is for the run, which then ends this itself.
        start_new_session=True,
    )


def main() -> int:
    """The process itself."""
    # What libraries print must not come between the lines.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _bound_memory()
    for line in iter(sys.stdin.buffer.readline, b""):
        asked = json.loads(line)
        told = _told(asked["ending"], sys.stdin.buffer.read(asked["size"]))
        answers.write(json.dumps(told).encode() + b"\n")
        answers.flush()
    return 0


def _told(ending: str, data: bytes) -> dict[str, Any]:
    try:
        return {"paper": reader_of(ending)(data).model_dump(mode="json")}
    except Unreadable as problem:
        return {"reason": problem.reason, "detail": repr(problem.__cause__)}
    except MemoryError:
        return {"reason": Skip.TOO_LARGE, "detail": "MemoryError"}
    except RecursionError:
        return {"reason": Skip.NESTED_TOO_DEEP, "detail": "RecursionError"}
    except Exception as error:
        # Libraries raise all sorts of things over damaged files; what is raised in our own lines is no fault of the file's.
        where = traceback.extract_tb(error.__traceback__)[-1]
        ours = Path(where.filename).is_relative_to(_HOME / "programs")
        detail = f"{error!r} in {where.filename}, line {where.lineno}"
        return {"reason": Skip.OUR_FAULT if ours else Skip.DAMAGED, "detail": detail}


def _bound_memory() -> None:
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    bound = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (bound, most))


if __name__ == "__main__":
    sys.exit(main())
