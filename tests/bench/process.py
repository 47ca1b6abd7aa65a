"""A child process with its wall time, CPU time and peak memory, as the operating system counts them.

On Linux a process inherits the peak memory of the one that starts it. So a small launcher comes between: run as
`python -I -S process.py WORD ...`, it starts `python WORD ...`, waits for it, and prints the usage as JSON.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class ProcessUsage:
    """What a finished process used. `started` is its start (time.monotonic), `output` what it printed."""

    started: float
    wall: float
    cpu: float
    peak_mb: float
    output: str
    code: int


def run(words: Sequence[str]) -> ProcessUsage:
    """Runs `python WORDS` in the checkout until it ends. Raises RuntimeError with its output if it fails."""
    command = [sys.executable, "-I", "-S", __file__, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as launcher:
        try:
            printed, _ = launcher.communicate()
        except BaseException:
            launcher.terminate()
            launcher.wait()
            raise
    usage = ProcessUsage(**json.loads(printed))
    if usage.code:
        raise RuntimeError(f"{' '.join(words)} ended with {usage.code}:\n{usage.output[-2000:]}")
    return usage


def _launch(words: list[str]) -> ProcessUsage:
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, *words], stdout=output, stderr=subprocess.STDOUT)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - started
        output.seek(0)
        cpu, peak_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        return ProcessUsage(started, wall, cpu, peak_mb, output.read(), process.returncode)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(json.dumps(asdict(_launch(sys.argv[1:]))))
