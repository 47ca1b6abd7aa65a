"""How fast the generator is: its start, and how near it comes to what a server can do."""

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
from tests.bench.server import Running, bench_server
from tests.bench.texts import write_texts

LATENCY = 1.0
RUNS = 5


def start(quick: bool) -> Iterator[dict[str, Any]]:
    """How long `--help` takes, and a dry run over the sample data: medians of several runs each."""
    runs = 2 if quick else RUNS
    for words in (["--help"], ["--dry-run"]):
        bills = [run(["-m", "programs.generate", *words]) for _ in range(runs)]
        yield {"command": words[0], "wall_s": round(median(bill.wall for bill in bills), 3), "runs": runs}


def saturation(quick: bool) -> Iterator[dict[str, Any]]:
    """The wall time of 400 traces with 64 calls at once, and of 1,600 with 256, over the bound `calls x latency / calls at
    once`, without the process's start; and the CPU time of a call. A tenth of the traces when `quick`."""
    for traces, concurrency in ((400, 64), (1600, 256)):
        yield _measured(traces // 10 if quick else traces, concurrency)


def servers(quick: bool) -> Iterator[dict[str, Any]]:
    """As `saturation`, the same run with 64 calls at once over one, two and four servers, and over four of which one is
    killed midway. The servers compete with the run for this machine's cores."""
    for count, kills in ((1, 0), (2, 0), (4, 0), (4, 1)):
        yield _measured(40 if quick else 400, 64, count, kills)


def _measured(traces: int, concurrency: int, count: int = 1, kills: int = 0) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        running = [stack.enter_context(bench_server(LATENCY)) for _ in range(count)]
        words = words_of(folder, [one.base for one in running], texts=traces + 10, concurrency=concurrency)
        stats = list[dict[str, Any]]()
        if kills:
            killer = threading.Thread(target=_kill_midway, args=(running[0], traces * 4 // count, stats))
            killer.start()
            stack.callback(killer.join)
        bill = run([*words, "--max-traces", str(traces)])
        stats += [one.stats() for one in running[kills:]]
        made = total(folder / "out.json")
    calls = sum(int(one["answered"]) for one in stats)
    wall = max(one["first"] + one["seconds"] for one in stats) - min(one["first"] for one in stats)
    bound = calls * LATENCY / concurrency
    return {
        "servers": count,
        "killed_midway": kills,
        "traces": made,
        "concurrency": concurrency,
        "calls": calls,
        "of_each_server": sorted((int(one["answered"]) for one in stats), reverse=True),
        "calls_a_trace": round(calls / made, 3),
        "most_in_flight": [one["peak"] for one in stats],
        "bound_s": round(bound, 2),
        "wall_s": round(wall, 2),
        "share_of_bound": round(bound / wall, 3),
        "whole_process_s": round(bill.wall, 2),
        "cpu_ms_a_call": round(1000 * bill.cpu / calls, 3),
        "peak_mb": round(bill.peak_mb),
    }


def _kill_midway(server: Running, calls: int, stats: list[dict[str, Any]]) -> None:
    """Kills it once it has answered so many calls, and adds what it had counted until then."""
    while (last := server.stats())["answered"] < calls:
        time.sleep(0.1)
    stats.append(last)
    server.process.kill()


def words_of(folder: Path, bases: list[str], texts: int, concurrency: int, characters: int | None = None) -> list[str]:
    """The generator's command on so many texts (`write_texts`), with its document in the folder."""
    file = write_texts(folder / "texts.jsonl", texts, characters)
    return [
        *("-m", "programs.generate", "--model", "openai/bench", "--api-base", *bases),
        *("--input-file", str(file), "--output", str(folder / "out.json"), "--concurrency", str(concurrency)),
    ]


def total(document: Path) -> int:
    """The number of traces that a document says it holds, from its first line: the whole may be too large to read."""
    with document.open("rb") as file:
        first = file.readline().rstrip().rstrip(b",")
    return int(json.loads(first + b"}")["metadata"]["total_traces_generated"])
