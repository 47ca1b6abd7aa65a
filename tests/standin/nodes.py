"""Servers that can be killed: the stand-in, each in a process of its own.

with servers(tmp_path, 3) as nodes:
    nodes[0].kill()
    nodes[0].start()
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forked.process import Forked
from tests.lab import environment, wait_for


class Node:
    """A server on a port that stays its own, not started yet. `options` are those of `main`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/v1"
        self._file, self._options = folder / f"{self.port}.seeds", options
        self._process: Forked | None = None

    @property
    def seeds(self) -> list[str]:
        """Of all that it has answered."""
        return self._file.read_text().split() if self._file.exists() else []

    def start(self, *more: str) -> None:
        """Returns when it listens. `more` are options of this time."""
        words = [str(self.port), str(self._file), *self._options, *more]
        self._process = Forked("tests.standin.process", words, env=environment())
        wait_for(self._listens, self._process)

    def kill(self) -> None:
        """As `kill -9`. Returns when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def servers(folder: Path, count: int, *options: str) -> Iterator[list[Node]]:
    """So many that run. Whatever runs at the end is killed."""
    nodes = [Node(folder, *options) for _ in range(count)]
    try:
        for node in nodes:
            node.start()
        yield nodes
    finally:
        for node in nodes:
            node.kill()
