"""A command that was forked, held as `subprocess.Popen` holds a process.

process = Forked("programs.generate", ["--model", "openai/any"], env=os.environ)
process.send_signal(signal.SIGINT)
stdout, stderr = process.communicate(timeout=60)
assert process.returncode == 130
"""

import atexit
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from tests.forked.parent import LONGEST, Order

ROOT = Path(__file__).resolve().parents[2]


class Forked:
    """A running command. `returncode` is None until `poll`, `wait` or `communicate` has seen it end; a signal that ended it
    is less than 0. `stdout` and `stderr` are the files that it writes to; they go when this object goes."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path = ROOT,
        largest_file: int | None = None,
    ) -> None:
        """Starts it. Raises ValueError where words and environment are too long, OSError where it could not be started."""
        streams = Path(tempfile.mkdtemp(prefix="forked-"))
        weakref.finalize(self, shutil.rmtree, streams)
        self.args = [module, *arguments]
        self.returncode: int | None = None
        self.stdout, self.stderr = streams / "stdout", streams / "stderr"
        self.stdout.touch()
        self.stderr.touch()
        order = Order(
            module=module,
            arguments=list(arguments),
            env=dict(env),
            cwd=cwd,
            stdout=self.stdout,
            stderr=self.stderr,
            largest_file=largest_file,
        )
        message = order.model_dump_json().encode()
        if len(message) > LONGEST:
            raise ValueError(f"an order has at most {LONGEST} bytes, and this one {len(message)}")
        ours, its = os.pipe()
        socket.send_fds(parent_of_forks(), [message], [its])
        os.close(its)
        self._fate = os.fdopen(ours, encoding="ascii")
        told = self._fate.readline()
        if not told:
            raise ChildProcessError(f"the parent of forks is gone, and {module} was not started")
        self.pid = int(told)

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        if self.returncode is None and select.select([self._fate], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises `subprocess.TimeoutExpired` after so many seconds."""
        if self.returncode is None:
            if not select.select([self._fate], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            with self._fate:
                told = self._fate.readline()
            if not told:
                raise ChildProcessError(f"what waited for {self.args[0]} is gone, and nobody knows how it ended")
            self.returncode = int(told)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote, once it has ended. Raises as `wait`."""
        self.wait(timeout)
        return self.stdout.read_text(encoding="utf-8"), self.stderr.read_text(encoding="utf-8")

    def send_signal(self, name: int) -> None:
        """To it, if it has not ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, name)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@lru_cache(maxsize=1)
def parent_of_forks() -> socket.socket:
    """The way to it; started with the first command, it ends with this process. One for all tests of a process: what it
    imports once, every command would."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.forked.parent", str(its.fileno())],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[its.fileno()],
        start_new_session=True,
    )
    its.close()

    def end() -> None:
        ours.close()
        parent.wait()

    atexit.register(end)
    return ours
