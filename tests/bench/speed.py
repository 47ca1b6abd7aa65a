"""How fast the generator is: its start, how near it comes to what a server can do, and to what a server allows."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from programs.cli.options import INTERRUPTED
from tests.bench.options import Options
from tests.bench.process import run
from tests.bench.server import bench_server
from tests.bench.texts import write_texts

LATENCY = 1.0
RUNS = 5
CONCURRENCY = 64
TEXTS = 6000
START = 10.0
"""Seconds for the process to start, also on a machine that is busy; what it does not need it runs longer."""


def start(options: Options) -> Iterator[dict[str, Any]]:
    """How long `--help` takes, and a dry run over the sample data: medians of several runs each."""
    runs = 2 if options.quick else RUNS
    for words in (["--help"], ["--dry-run"]):
        bills = [run(["-m", "programs.generate", *words]) for _ in range(runs)]
        yield {"command": words[0], "wall_s": round(median(bill.wall for bill in bills), 3), "runs": runs}


def saturation(options: Options) -> Iterator[dict[str, Any]]:
    """The wall time of 400 traces with 64 calls at once, and of 1,600 with 256, over the bound `calls x latency / calls at
    once`, without the process's start; and the CPU time of a call. A tenth of the traces when `quick`."""
    for traces, concurrency in ((400, 64), (1600, 256)):
        yield _saturated(traces // 10 if options.quick else traces, concurrency)


def _saturated(traces: int, concurrency: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, bench_server(LATENCY) as server:
        folder = Path(name)
        words = _words(folder, server.base, texts=traces + 10, concurrency=concurrency)
        bill = run([*words, "--max-traces", str(traces)])
        stats = server.stats()
        made = _made(folder)
    calls = int(stats["answered"])
    bound = calls * LATENCY / concurrency
    return {
        "traces": made,
        "concurrency": concurrency,
        "calls": calls,
        "calls_a_trace": round(calls / made, 3),
        "most_in_flight": stats["peak"],
        "bound_s": round(bound, 2),
        "wall_s": round(stats["seconds"], 2),
        "share_of_bound": round(bound / stats["seconds"], 3),
        "whole_process_s": round(bill.wall, 2),
        "cpu_ms_a_call": round(1000 * bill.cpu / calls, 3),
        "peak_mb": round(bill.peak_mb),
    }


def _words(folder: Path, base: str, *, texts: int, concurrency: int) -> list[str]:
    """The generator's command on so many texts, with its document in the folder."""
    file = write_texts(folder / "texts.jsonl", texts)
    return [
        *("-m", "programs.generate", "--model", "openai/bench", "--api-base", base),
        *("--input-file", str(file), "--output", str(folder / "out.json"), "--concurrency", str(concurrency)),
    ]


def _made(folder: Path) -> int:
    return int(json.loads((folder / "out.json").read_bytes())["metadata"]["total_traces_generated"])


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


def _limited(limit: Limit, seconds: float, last: int) -> dict[str, Any]:
    """A run of so many seconds, looked at over its last ones."""
    with (
        tempfile.TemporaryDirectory() as name,
        bench_server(LATENCY, calls_a_second=limit.calls_a_second, tokens_a_minute=limit.tokens_a_minute) as server,
    ):
        folder = Path(name)
        words = _words(folder, server.base, texts=TEXTS, concurrency=CONCURRENCY)
        bill = run(words, expect=INTERRUPTED, seconds=START + seconds)
        stats = server.stats()
        made = _made(folder)
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


def rate(options: Options) -> Iterator[dict[str, Any]]:
    """Seven minutes for each limit, looked at over the last five; one minute and its last half when `quick`."""
    seconds, last = (60, 30) if options.quick else (430, 300)
    for limit in (Limit(calls_a_second=20), Limit(tokens_a_minute=1_000_000)):
        yield _limited(limit, seconds, last)
