"""The same work with three clients: a chain of three calls for each row, 256 at once, one second a call.

Bare aiohttp is the least that it can cost; `here` is this project's own parts, `stock` DSPy as it comes with as many
threads. Each runs in a process of its own against a server of its own, in another order in every round.
"""

from collections.abc import Iterator
from statistics import median
from typing import Any

from tests.bench.options import Options
from tests.bench.process import last_line, run
from tests.bench.serving import bench_server

LATENCY = 1.0
CONCURRENCY = 256
LENGTH = 3
CLIENTS = {
    "bare aiohttp": "tests.bench.bare",
    "here": "tests.bench.chain_here",
    "stock dspy.Parallel": "tests.bench.chain_stock",
}

Run = dict[str, float]


def measured(client: str, rows: int) -> Run:
    """One run of a client."""
    with bench_server(LATENCY) as server:
        length = [str(LENGTH)] if client == "bare aiohttp" else []
        bill = run(["-m", CLIENTS[client], server.base, str(rows), str(CONCURRENCY), *length])
        stats = server.stats()
    work = last_line(bill)
    return {
        "calls": stats["answered"],
        "most_in_flight": stats["peak"],
        "wall_s": work["wall"],
        "whole_process_s": bill.wall,
        "cpu_ms_a_call": 1000 * work["cpu"] / stats["answered"],
        "peak_mb": bill.peak_mb,
    }


def rounds(count: int, rows: int) -> dict[str, list[Run]]:
    """The runs of every client, one a round; whoever was first in a round is last in the next."""
    order, runs = list(CLIENTS), {client: list[Run]() for client in CLIENTS}
    for _ in range(count):
        for client in order:
            runs[client].append(measured(client, rows))
        order = [*order[1:], order[0]]
    return runs


def bench(options: Options) -> Iterator[dict[str, Any]]:
    """Medians of three rounds of 1,000 rows; one round of 200 when `quick`."""
    count, rows = (1, 200) if options.quick else (3, 1000)
    runs = rounds(count, rows)
    middle = {client: {name: median(run[name] for run in found) for name in found[0]} for client, found in runs.items()}
    bare = middle["bare aiohttp"]
    for client, found in middle.items():
        walls = [run["wall_s"] for run in runs[client]]
        yield {
            "client": client,
            "rows": rows,
            "rounds": count,
            "calls": round(found["calls"]),
            "most_in_flight": round(max(run["most_in_flight"] for run in runs[client])),
            "bound_s": round(LENGTH * LATENCY * max(1.0, rows / CONCURRENCY), 2),
            "wall_s": round(found["wall_s"], 2),
            "walls_s": " ".join(f"{wall:.2f}" for wall in walls),
            "over_bare_aiohttp": round(found["wall_s"] / bare["wall_s"], 3),
            "whole_process_s": round(found["whole_process_s"], 2),
            "cpu_ms_a_call": round(found["cpu_ms_a_call"], 3),
            "peak_mb": round(found["peak_mb"]),
        }
