"""A stand-in for benchmarks, in a process of its own: takes a fixed time a call and answers every stage in form.

    with bench_server(latency=1.0) as server: server.base, server.stats()

Its answers are made once for each stage and kept as bytes, so that it costs as little CPU as a Python server can; a
counter inside makes each one different. Run as `python -m tests.bench.server PORT LATENCY [CAPACITY RATE]`.
"""

import asyncio
import contextlib
import itertools
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.standin.scientist import ANSWERS, STAGE_OF_FIELD, Asked

MARK = "00000000"
PAUSE = 1.0
"""Seconds without a call after which the next one is the first of another run."""
_NAME = re.compile(rb'"schema":\{(?:"additionalProperties":false,)?"properties":\{"(\w+)"')


class BenchServer:
    """Counts what it is asked. `capacity` and `rate` (calls a second, over the last second) are enforced with 429.

    Times are of time.monotonic, which all processes of a machine share.
    """

    def __init__(self, latency: float, capacity: int | None, rate: float | None) -> None:
        self.latency, self.capacity, self.rate = latency, capacity, rate
        self.in_flight = self.peak = self.answered = self.refused = 0
        self.seen: Counter[str] = Counter()
        self.first = self.last = self.first_after = self.latest = 0.0
        self._tokens, self._filled = float(rate or 0), time.monotonic()
        self._numbers = itertools.count(1)
        self._replies = {name: _reply(name) for name in STAGE_OF_FIELD}

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        now = time.monotonic()
        self.first = self.first or now
        if now - self.latest > PAUSE:
            self.first_after = now
        self.latest = now
        if not self._allowed(now):
            self.refused += 1
            return web.Response(status=429, headers={"Retry-After": "1"}, text='{"error":{"message":"slow down"}}')
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            found = _NAME.search(body)
            if found is None:
                return web.Response(status=500, text="the bench server found no schema")
            name = found.group(1).decode()
            self.seen[STAGE_OF_FIELD[name]] += 1
            self.answered += 1
            self.last = time.monotonic()
            text = self._replies[name].replace(MARK.encode(), b"%08x" % next(self._numbers))
            return web.Response(body=text, content_type="application/json")
        finally:
            self.in_flight -= 1

    def _allowed(self, now: float) -> bool:
        if self.capacity is not None and self.in_flight >= self.capacity:
            return False
        if self.rate is None:
            return True
        self._tokens = min(self.rate, self._tokens + (now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    async def stats(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "answered": self.answered,
                "refused": self.refused,
                "peak": self.peak,
                "seconds": self.last - self.first,
                "first_after": self.first_after,
                "stages": self.seen,
                "cpu": time.process_time(),
            }
        )


def _reply(name: str) -> bytes:
    stage = STAGE_OF_FIELD[name]
    asked = Asked(stage, name, "[1] Measured luminosities correlate with surrounding densities.", MARK, 0, {})
    content = json.dumps({name: ANSWERS[stage](asked)}).replace(MARK[:2], MARK, 1)
    content = content.replace(f"case {MARK}", f"case {MARK}")
    reply: dict[str, Any] = {
        "id": "bench",
        "object": "chat.completion",
        "model": "bench",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200},
    }
    return json.dumps(reply).encode()


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    base: str

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.base.removesuffix("/v1") + "/stats", timeout=10) as reply:
            found: dict[str, Any] = json.load(reply)
            return found


@contextlib.contextmanager
def bench_server(latency: float = 1.0, capacity: int | None = None, rate: float | None = None) -> Iterator[Running]:
    """Starts the server in a process of its own and stops it at the end."""
    words = [sys.executable, "-m", "tests.bench.server", str(latency), str(capacity or 0), str(rate or 0)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Running(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(timeout=10)


async def _serve(latency: float, capacity: int | None, rate: float | None) -> None:
    server = BenchServer(latency, capacity, rate)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/chat/completions", server.answer)
    app.router.add_get("/stats", server.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    latency, capacity, rate = map(float, sys.argv[1:4])
    asyncio.run(_serve(latency, int(capacity) or None, rate or None))
