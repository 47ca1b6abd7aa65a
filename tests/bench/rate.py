"""How near the generator comes to a server's limit, and how much it is refused on the way.

The generator runs for a stated time with more calls at once than the server allows, then it is interrupted. Once the
limit is one of calls a second, once one of tokens a minute, each kept by a token bucket in the server.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from programs.cli.options import INTERRUPTED
from tests.bench.options import Options
from tests.bench.process import run
from tests.bench.serving import bench_server
from tests.bench.texts import write_texts

LATENCY = 1.0
CONCURRENCY = 64
TEXTS = 6000
START = 10.0
"""Seconds for the process to start, also on a machine that is busy; what it does not need it runs longer."""


@dataclass(frozen=True)
class Limit:
    """What the server allows; 0 is no limit."""

    calls_a_second: float = 0
    tokens_a_minute: float = 0

    def __str__(self) -> str:
        return (
            f"{self.calls_a_second:,.0f} calls/s" if self.calls_a_second else f"{self.tokens_a_minute:,.0f} tokens/min"
        )

    @property
    def a_second(self) -> float:
        return self.calls_a_second or self.tokens_a_minute / 60

    def used(self, second: list[int]) -> int:
        """What one of the server's `by_second` counts against the limit."""
        admitted, _, tokens = second
        return admitted if self.calls_a_second else tokens


def rate(limit: Limit, seconds: float, last: int) -> dict[str, Any]:
    """A run of so many seconds, looked at over its last ones."""
    with (
        tempfile.TemporaryDirectory() as name,
        bench_server(LATENCY, calls_a_second=limit.calls_a_second, tokens_a_minute=limit.tokens_a_minute) as server,
    ):
        folder = Path(name)
        texts = write_texts(folder / "texts.jsonl", TEXTS)
        bill = run(
            [
                *("-m", "programs.generate", "--model", "openai/bench", "--api-base", server.base),
                *("--input-file", str(texts), "--output", str(folder / "out.json")),
                *("--concurrency", str(CONCURRENCY)),
            ],
            expect=INTERRUPTED,
            seconds=START + seconds,
        )
        stats = server.stats()
        made = json.loads((folder / "out.json").read_bytes())["metadata"]["total_traces_generated"]
    end = int(bill.started + START + seconds - stats["first"])
    by_second = stats["by_second"]
    window = by_second[max(0, end - last) : end]
    achieved = sum(map(limit.used, window)) / len(window)
    first_refused = stats["first_refused"]
    return {
        "limit": str(limit),
        "calls_at_once": CONCURRENCY,
        "seconds": end,
        "allowed_a_second": round(limit.a_second, 2),
        "over_the_last_s": len(window),
        "achieved_a_second": round(achieved, 2),
        "share_of_limit": round(achieved / limit.a_second, 3),
        "first_refused_after_s": None if first_refused is None else round(first_refused, 1),
        "refused_after_the_first": _refused(by_second[int(first_refused or 0) :], beside=1),
        "refused_in_the_last": _refused(window),
        "calls_refused": sum(refused for _, refused, _ in by_second),
        "calls": stats["answered"],
        "traces": made,
        "most_in_flight": stats["peak"],
        "whole_process_s": round(bill.wall, 1),
        "cpu_ms_a_call": round(1000 * bill.cpu / stats["answered"], 3),
    }


def _refused(seconds: list[list[int]], beside: int = 0) -> float:
    """The share of requests that were refused, `beside` refusals left out."""
    refused = sum(second[1] for second in seconds) - beside
    asked = sum(second[0] for second in seconds) + refused
    return round(max(0, refused) / asked, 4)


def bench(options: Options) -> Iterator[dict[str, Any]]:
    """Seven minutes for each limit, looked at over the last five; one minute and its last half when `quick`."""
    seconds, last = (60, 30) if options.quick else (430, 300)
    for limit in (Limit(calls_a_second=20), Limit(tokens_a_minute=1_000_000)):
        yield rate(limit, seconds, last)
