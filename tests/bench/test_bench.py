"""The parts of the benchmarks that decide what is counted."""

from tests.bench.process import run
from tests.bench.server import bench_server
from tests.lab import Lab


def test_the_server_answers_every_stage_and_counts_calls(lab: Lab) -> None:
    with bench_server(0.01) as server:
        finished = lab.run(api_base=server.base_url, max_traces=2)
        stats = server.stats()
    assert finished.status == "completed"
    assert len(lab.records) == 2
    assert all(350 < len(record["reasoning_trace"].split()) < 480 for record in lab.records)
    assert stats["answered"] >= 16


def test_the_usage_is_only_the_childs() -> None:
    ballast = bytearray(200 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    usage = run(["-S", "-c", "print('done')"])
    assert usage.output == "done\n"
    assert usage.peak_mb < 100
