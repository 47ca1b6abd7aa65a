"""How near the runner comes to what a server allows, and what a call costs in CPU.

1. Wall time of N traces at C calls at once, over the bound `calls x latency / C`; process start apart.
2. CPU time of the whole pipeline per call, over that of bare aiohttp making as many calls at once in the same run.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.options import Options
from tests.bench.process import last_line, run
from tests.bench.serving import bench_server
from tests.bench.texts import write_texts

LATENCY = 1.0


def saturation(traces: int, concurrency: int) -> dict[str, Any]:
    """One run of the generator against the bench server, and bare aiohttp beside it."""
    with tempfile.TemporaryDirectory() as name, bench_server(LATENCY) as server:
        folder = Path(name)
        texts = write_texts(folder / "texts.jsonl", traces + 10)
        bill = run(
            [
                *("-m", "programs.generate", "--model", "openai/bench", "--api-base", server.base),
                *("--input-file", str(texts), "--output", str(folder / "out.json")),
                *("--max-traces", str(traces), "--concurrency", str(concurrency)),
            ]
        )
        stats = server.stats()
        made = json.loads((folder / "out.json").read_bytes())["metadata"]["total_traces_generated"]
    calls = int(stats["answered"])
    bound = calls * LATENCY / concurrency
    with bench_server(LATENCY) as server:
        bare = run(["-m", "tests.bench.bare", server.base, str(calls), str(concurrency), "1"])
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
        "bare_aiohttp_wall_s": round(last_line(bare)["wall"], 2),
        "bare_aiohttp_cpu_ms_a_call": round(1000 * bare.cpu / calls, 3),
        "cpu_over_bare": round(bill.cpu / bare.cpu, 2),
        "peak_mb": round(bill.peak_mb),
    }


def bench(options: Options) -> Iterator[dict[str, Any]]:
    """400 traces at 64 and 1,600 at 256; a quarter of that when `quick`."""
    share = 4 if options.quick else 1
    for traces, concurrency in ((400, 64), (1600, 256)):
        yield saturation(traces // share, concurrency)
