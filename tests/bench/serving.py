"""Starting the bench server in a process of its own.

with bench_server(latency=1.0, calls_a_second=20) as server:
    server.base, server.stats()
"""

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    base: str

    def stats(self) -> dict[str, Any]:
        """What it has counted so far (`tests.bench.server.BenchServer.stats`)."""
        with urllib.request.urlopen(self.base.removesuffix("/v1") + "/stats", timeout=10) as reply:
            found: dict[str, Any] = json.load(reply)
            return found


@contextlib.contextmanager
def bench_server(latency: float = 1.0, *, calls_a_second: float = 0, tokens_a_minute: float = 0) -> Iterator[Running]:
    """A server that takes `latency` seconds a call, with a limit where one is given. It is stopped at the end."""
    numbers = map(str, (latency, calls_a_second, tokens_a_minute))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.server", *numbers], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Running(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(timeout=10)
