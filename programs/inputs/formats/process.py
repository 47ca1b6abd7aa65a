"""Reads documents in a process of their own (`worker`), so that one that hangs, crashes or fills memory is skipped."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from programs.inputs.formats.paper import Paper, Unreadable

SECONDS = 300
"""That one document may take. A long paper takes ten."""
CRASHED = "a document that crashed its reader"
TOO_SLOW = "a document that takes too long to read"
PAUSE = 0.0002
"""Seconds between two looks whether a document is read."""
_ALARM = -14

log = logging.getLogger("synthreasoner")


class ReaderProcess:
    """Reads one document after another; the process is started with the first one and ends with `close`."""

    def __init__(self, seconds: int = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ReaderProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def steps(self, ending: str, data: bytes) -> Iterator[Paper | None]:
        """None while the document is being read, every PAUSE seconds; then the paper. Raises `Unreadable`."""
        answers: list[dict[str, Any]] = []
        thread = self._thread = threading.Thread(target=lambda: answers.append(self._asked(ending, data)), daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(PAUSE)
            yield None
        if not answers or "reason" in answers[0]:
            answer = answers[0] if answers else {"reason": CRASHED, "detail": None}
            log.info("not read: %s: %s", answer["reason"], answer["detail"])
            raise Unreadable(answer["reason"])
        yield Paper.model_validate(answers[0]["paper"])

    def close(self) -> None:
        """Ends the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        if self._thread is not None:
            self._thread.join()
        _wait(process)

    def _asked(self, ending: str, data: bytes) -> dict[str, Any]:
        process = self._process = self._process or _started()
        assert process.stdin is not None
        assert process.stdout is not None
        head = json.dumps({"format": ending, "size": len(data), "seconds": self._seconds})
        try:
            process.stdin.write(head.encode() + b"\n" + data)
            process.stdin.flush()
            line = process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = b""
        if line.endswith(b"\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._process = None
        code = _wait(process)
        return {"reason": TOO_SLOW if code == _ALARM else CRASHED, "detail": f"exit code {code}"}


def _wait(process: subprocess.Popen[bytes]) -> int:
    """The exit code of a process that has ended or was killed."""
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            # A broken pipe still holds what was not written.
            pipe.close()  # type: ignore[union-attr]
    return process.wait()


def _started() -> subprocess.Popen[bytes]:
    home = Path(__file__).resolve().parents[3]
    paths = [str(home), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "programs.inputs.formats.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        # Ctrl-C is for the run, which then ends this itself.
        start_new_session=True,
    )
