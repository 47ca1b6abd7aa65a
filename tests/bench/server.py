"""A fake server for benchmarks, in a separate process. It takes a fixed time per call and answers every stage with valid
output, with thoughts of about 400 words.

    with bench_server(latency=1.0) as server:
        server.base_url, server.stats()

Its replies are made once per output field and kept as bytes, so that it uses as little CPU as a Python server can; a
counter makes each one different. `python -m tests.bench.server LATENCY` prints its base URL.
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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiohttp import web

from tests.bench.texts import LONG_THOUGHT, QUESTION
from tests.standin.scientist import ANSWERS, STAGE_OF_FIELD, StageRequest

MARK = b"00000000"
PROMPT_TOKENS = b"99999999"
CHARS_PER_TOKEN = 4
RUN_GAP = 1.0
"""After this many seconds without a call, the next one counts as the first of another run."""

_SCHEMA = re.compile(rb'"schema":\{(?:"additionalProperties":false,)?"properties":\{"(\w+)"')


class BenchServer:
    """Answers and counts calls. Times are of time.monotonic, which all processes of a machine share."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self._in_flight = self.peak = self.answered = 0
        self.first = self.first_after = self._last = self._latest = 0.0
        self._numbers = itertools.count(1)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        now = time.monotonic()
        self.first = self.first or now
        if now - self._latest > RUN_GAP:
            self.first_after = now
        self._latest = now
        if (field := _SCHEMA.search(body)) is None:
            return web.Response(status=500, text="the bench server does not find which field is asked for")
        self._in_flight += 1
        self.peak = max(self.peak, self._in_flight)
        try:
            await asyncio.sleep(self.latency)
        finally:
            self._in_flight -= 1
        self.answered += 1
        self._last = time.monotonic()
        reply = _completion(field.group(1).decode()).replace(MARK, b"%08x" % next(self._numbers))
        text = reply.replace(PROMPT_TOKENS, b"%8d" % (len(body) // CHARS_PER_TOKEN), 1)
        return web.Response(body=text, content_type="application/json")

    async def stats(self, _request: web.Request) -> web.Response:
        """`first`: when the first call came; `seconds`: from it to the last reply; `first_after`: when the first call of
        the latest run came."""
        counted = {name: getattr(self, name) for name in ("answered", "peak", "first", "first_after")}
        return web.json_response({**counted, "seconds": self._last - self.first})


@cache
def _completion(name: str) -> bytes:
    """A completion with a valid value of the output field `name`."""
    mark, stage = MARK.decode(), STAGE_OF_FIELD[name]
    request = StageRequest(stage, name, "[1] Measured luminosities correlate with surrounding densities.", mark, 0, {})
    value = {"trace": LONG_THOUGHT, "questions": QUESTION}.get(stage) or ANSWERS[stage](request)
    output = json.dumps(value)
    if mark not in output:
        # Some answers have only the first digits.
        output = output.replace(mark[:2], mark, 1)
    content = f'{{"{name}": {output}}}'
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    usage = {"prompt_tokens": int(PROMPT_TOKENS), "completion_tokens": len(content) // CHARS_PER_TOKEN}
    metadata = {"id": "bench", "object": "chat.completion", "created": 0, "model": "bench"}
    return json.dumps({**metadata, "choices": [choice], "usage": usage}).encode()


@dataclass(frozen=True)
class RunningServer:
    base_url: str
    process: subprocess.Popen[str]

    def stats(self) -> dict[str, Any]:
        """Its counts so far (see `BenchServer.stats`)."""
        with urllib.request.urlopen(self.base_url.removesuffix("/v1") + "/stats", timeout=10) as reply:
            return dict(json.load(reply))


@contextlib.contextmanager
def bench_server(latency: float = 1.0) -> Iterator[RunningServer]:
    """Runs a server that takes `latency` seconds per call."""
    words = [sys.executable, "-m", "tests.bench.server", str(latency)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield RunningServer(process.stdout.readline().strip(), process)
    finally:
        process.terminate()
        process.wait(timeout=10)


async def _serve(latency: float) -> None:
    server = BenchServer(latency)
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/chat/completions", server.answer)
    app.router.add_get("/stats", server.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
