"""The parts of the benchmarks that decide what is counted."""

import pytest

from tests.bench.process import run
from tests.bench.server import bench_server
from tests.bench.texts import text_of
from tests.lab import Lab


def test_the_server_answers_every_stage_and_counts(lab: Lab) -> None:
    with bench_server(0.01) as server:
        finished = lab.run(api_base=server.base, max_traces=2)
        stats = server.stats()
    assert finished.status == "completed"
    assert len(lab.records) == 2
    assert all(350 < len(record["reasoning_trace"].split()) < 480 for record in lab.records)
    assert stats["answered"] >= 16


def test_texts_are_of_real_length_and_each_is_another() -> None:
    found = [text_of(number) for number in range(400)]
    assert len(set(found)) == len({text.partition(". ")[0] for text in found}) == 400
    assert 900 <= min(map(len, found)) < 1200
    assert 5500 < max(map(len, found)) <= 6000


def test_a_bill_counts_the_child_alone() -> None:
    ballast = bytearray(200 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    bill = run(["-S", "-c", "print('done')"])
    assert bill.output == "done\n"
    assert bill.peak_mb < 100


def test_a_process_that_fails_is_an_error_with_what_it_printed() -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        run(["-S", "-c", "raise SystemExit('no such luck')"])
