"""A child process with its bill: wall time, CPU time and peak memory, as the operating system counts them."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Bill:
    """What a finished process cost. `started` is when it was started (time.monotonic), `peak_mb` its largest memory."""

    started: float
    wall: float
    cpu: float
    peak_mb: float
    output: str


def run(words: Sequence[str], expect: int = 0) -> Bill:
    """Runs `python WORDS` from the checkout to its end. Raises RuntimeError with its output on another exit code."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - started
        output.seek(0)
        text = output.read()
    if process.returncode != expect:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}:\n{text[-2000:]}")
    return Bill(started, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)
