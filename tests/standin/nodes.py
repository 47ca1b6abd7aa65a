"""Stand-in servers in separate processes, which can be killed.

with servers(tmp_path, 3) as nodes:
    nodes[0].kill()
    nodes[0].start()
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forked.process import ForkedProcess
from tests.lab import environment, wait_for


class Node:
    """A server, not yet started, that keeps its port over restarts. `options`: those of `tests.standin.process`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/v1"
        self._file, self._options = folder / f"{self.port}.seeds", options
        self._process: ForkedProcess | None = None

    @property
    def seeds(self) -> list[str]:
        """The seeds of all requests that it answered."""
        return self._file.read_text().split() if self._file.exists() else []

    def start(self, *more: str) -> None:
        """Returns when the server listens. `more`: further options, for this start only."""
        words = [str(self.port), str(self._file), *self._options, *more]
        self._process = ForkedProcess("tests.standin.process", words, env=environment())
        wait_for(self._listens, self._process)

    def kill(self) -> None:
        """Sends SIGKILL and returns when the process has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def servers(folder: Path, count: int, *options: str) -> Iterator[list[Node]]:
    """Starts `count` servers, and kills those that still run at the end."""
    nodes = [Node(folder, *options) for _ in range(count)]
    try:
        for node in nodes:
            node.start()
        yield nodes
    finally:
        for node in nodes:
            node.kill()
