"""A command that was forked, held as `subprocess.Popen` holds a process.

process = Forked("programs.generate", ["--model", "openai/any"], env=os.environ)
process.send_signal(signal.SIGINT)
stdout, stderr = process.communicate(timeout=60)
assert process.wait() == 130

It is forked by a process that has imported what commands import, and not by the tests' process: that one's servers run in
threads, which no fork survives. It is a Python process like any other: it has its own pid, environment, folder and
streams, and ends by itself, exit handlers included.
"""

import atexit
import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from programs.cli.options import run_cli

ROOT = Path(__file__).resolve().parents[2]
FORKS = multiprocessing.get_context("forkserver")
# What commands import when they need it, and is slow to come, too.
FORKS.set_forkserver_preload([__name__, "programs.generate", "optimize.compile", "programs.tracer", "dspy", "optuna"])


def become(words: list[str], env: Mapping[str, str], cwd: Path, streams: Path, largest_file: int | None) -> None:
    """Makes this process a command's."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        with (streams / name).open("wb") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    sys.argv = words
    try:
        run_cli(import_module(words[0]).main)
    finally:
        atexit._run_exitfuncs()


class Forked:
    """A running command. `stdout` and `stderr` are the files that it writes to; they go when this object goes.
    `largest_file` are the bytes beyond which the system lets no file grow."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path = ROOT,
        largest_file: int | None = None,
    ) -> None:
        streams = Path(tempfile.mkdtemp(prefix="forked-"))
        weakref.finalize(self, shutil.rmtree, streams)
        self.args = [module, *arguments]
        self.stdout, self.stderr = streams / "stdout", streams / "stderr"
        self.stdout.touch()
        self.stderr.touch()
        self._process = FORKS.Process(target=become, args=(self.args, dict(env), cwd, streams, largest_file))
        self._process.start()

    def poll(self) -> int | None:
        """Its exit code, or None while it runs; less than 0: the signal that ended it."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises `subprocess.TimeoutExpired` after so many seconds."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote, once it has ended. Raises as `wait`."""
        self.wait(timeout)
        return self.stdout.read_text(encoding="utf-8"), self.stderr.read_text(encoding="utf-8")

    def send_signal(self, name: int) -> None:
        """To it, if it has not ended."""
        if self.poll() is None and self._process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, name)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
