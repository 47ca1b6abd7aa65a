"""How fast the generator is: how long it takes to start, and how close it comes to what a server can do."""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.process import run
from tests.bench.server import RunningServer, bench_server
from tests.bench.texts import write_texts

LATENCY = 1.0
RUNS = 5


def start(quick: bool) -> Iterator[dict[str, Any]]:
    """The time of `--help`, and of a dry run over the sample data: medians of several runs."""
    runs = 2 if quick else RUNS
    for words in (["--help"], ["--dry-run"]):
        usages = [run(["-m", "programs.generate", *words]) for _ in range(runs)]
        yield {"command": words[0], "wall_s": round(median(usage.wall for usage in usages), 3), "runs": runs}


def saturation(quick: bool) -> Iterator[dict[str, Any]]:
    """The wall time of 400 traces with 64 concurrent calls, and of 1,600 with 256, compared with the bound `calls x latency
    / concurrent calls`, without the start of the process; and the CPU time per call. A tenth of the traces if `quick`."""
    for traces, concurrency in ((400, 64), (1600, 256)):
        yield _measure(traces // 10 if quick else traces, concurrency)


def servers(quick: bool) -> Iterator[dict[str, Any]]:
    """Like `saturation` with 64 concurrent calls, over one, two and four servers, and over four of which one is killed
    midway. The servers compete with the run for this machine's cores."""
    for count, kills in ((1, 0), (2, 0), (4, 0), (4, 1)):
        yield _measure(40 if quick else 400, 64, count, kills)


def _measure(traces: int, concurrency: int, count: int = 1, kills: int = 0) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        running = [stack.enter_context(bench_server(LATENCY)) for _ in range(count)]
        command = command_of(folder, [one.base_url for one in running], texts=traces + 10, concurrency=concurrency)
        stats = list[dict[str, Any]]()
        if kills:
            killer = threading.Thread(target=_kill_midway, args=(running[0], traces * 4 // count, stats))
            killer.start()
            stack.callback(killer.join)
        usage = run([*command, "--max-traces", str(traces)])
        stats += [one.stats() for one in running[kills:]]
        traces_made = trace_count(folder / "out.json")
    calls = sum(int(one["answered"]) for one in stats)
    wall = max(one["first"] + one["seconds"] for one in stats) - min(one["first"] for one in stats)
    bound = calls * LATENCY / concurrency
    return {
        "servers": count,
        "killed_midway": kills,
        "traces": traces_made,
        "concurrency": concurrency,
        "calls": calls,
        "of_each_server": sorted((int(one["answered"]) for one in stats), reverse=True),
        "calls_a_trace": round(calls / traces_made, 3),
        "most_in_flight": [one["peak"] for one in stats],
        "bound_s": round(bound, 2),
        "wall_s": round(wall, 2),
        "share_of_bound": round(bound / wall, 3),
        "whole_process_s": round(usage.wall, 2),
        "cpu_ms_a_call": round(1000 * usage.cpu / calls, 3),
        "peak_mb": round(usage.peak_mb),
    }


def _kill_midway(server: RunningServer, calls: int, stats: list[dict[str, Any]]) -> None:
    """Kills a server once it has answered `calls` calls, and appends its last counts to `stats`."""
    while (last := server.stats())["answered"] < calls:
        time.sleep(0.1)
    stats.append(last)
    server.process.kill()


def command_of(folder: Path, urls: list[str], texts: int, concurrency: int, characters: int | None = None) -> list[str]:
    """The generator's command for `texts` texts (`write_texts`), with its document in the folder."""
    file = write_texts(folder / "texts.jsonl", texts, characters)
    return [
        *("-m", "programs.generate", "--model", "openai/bench", "--api-base", *urls),
        *("--input-file", str(file), "--output", str(folder / "out.json"), "--concurrency", str(concurrency)),
    ]


def trace_count(document: Path) -> int:
    """The number of traces according to the first line of a document, which may be too large to read as a whole."""
    with document.open("rb") as file:
        first = file.readline().rstrip().rstrip(b",")
    return int(json.loads(first + b"}")["metadata"]["total_traces_generated"])
