"""Runs commands in forked processes, with an interface like that of `subprocess.Popen`.

process = ForkedProcess("programs.generate", ["--model", "openai/any"], env=os.environ)
process.send_signal(signal.SIGINT)
stdout, stderr = process.communicate(timeout=60)
assert process.wait() == 130

A fork server that has already imported the commands' modules forks the process. The tests' own process cannot do this: its
servers run in threads, which do not survive a fork. The command has its own pid, environment, working folder and output
streams, and runs its exit handlers when it ends.
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
CONTEXT = multiprocessing.get_context("forkserver")
# Also the slow modules that commands import only when they need them.
CONTEXT.set_forkserver_preload([__name__, "programs.generate", "optimize.compile", "programs.tracer", "dspy", "optuna"])


def run_module(words: list[str], env: Mapping[str, str], cwd: Path, streams: Path, max_file_size: int | None) -> None:
    """Runs a command in this forked process, with its own streams, environment, folder and file size limit."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        with (streams / name).open("wb") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    if max_file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_size, max_file_size))
    sys.argv = words
    try:
        run_cli(import_module(words[0]).main)
    finally:
        atexit._run_exitfuncs()


class ForkedProcess:
    """A running command. It writes to the files `stdout` and `stderr`, which are deleted together with this object. The
    operating system does not let its files grow beyond `max_file_size` bytes."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path = ROOT,
        max_file_size: int | None = None,
    ) -> None:
        streams = Path(tempfile.mkdtemp(prefix="forked-"))
        weakref.finalize(self, shutil.rmtree, streams)
        self.args = [module, *arguments]
        self.stdout, self.stderr = streams / "stdout", streams / "stderr"
        self.stdout.touch()
        self.stderr.touch()
        self._process = CONTEXT.Process(target=run_module, args=(self.args, dict(env), cwd, streams, max_file_size))
        self._process.start()

    def poll(self) -> int | None:
        """The exit code, None while the command runs, or -N if signal N ended it."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end and returns the exit code. Raises `subprocess.TimeoutExpired` after `timeout` seconds."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Waits for the end and returns stdout and stderr. Raises as `wait`."""
        self.wait(timeout)
        return self.stdout.read_text(encoding="utf-8"), self.stderr.read_text(encoding="utf-8")

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless the command has ended."""
        if self.poll() is None and self._process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
