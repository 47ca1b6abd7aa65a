"""Invariants of reading the input and estimating its texts (`programs.run.reading`).

1. Lines are counted as the reader counts them: plain or compressed, with or without a last line end, also blank ones; rows
   of a table according to its header; a document counts as one.
2. An input that cannot be read twice or to its end is not counted, and nothing is guessed.
3. The unread part is expected to have as many texts per line as the part read: one per line at first, unknown for documents
   until the first has been read. Texts that earlier runs finished are not included.
4. A thread reads one sample at a time, on demand; its errors are raised to the caller. Once the gate is closed it ends,
   whatever it waits for, and reports no error for that.
"""

import asyncio
import gzip
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from programs.errors import UserError
from programs.inputs.formats import Kind
from programs.inputs.jsonl import split_lines
from programs.inputs.reader import SampleReader
from programs.inputs.report import ReadReport
from programs.inputs.sample import Place, Sample, sample_of
from programs.inputs.sources import Source, find_sources
from programs.run.gate import Gate
from programs.run.reading import Reading
from tests.lab import write_passages


class FixedReader(SampleReader):
    """Yields the given samples, then waits until it is closed."""

    def __init__(self, samples: Sequence[Sample] = ()) -> None:
        super().__init__(max_chars=None, report=ReadReport())
        self._samples, self._closed = samples, threading.Event()

    def samples(self, _inputs: Sequence[Source]) -> Iterator[Sample]:
        yield from self._samples
        self._closed.wait()

    def close(self) -> None:
        self._closed.set()


def any_sample(_sample: Sample) -> bool:
    return True


def sizes_of(*paths: Path, kind: Kind = "lines") -> list[int] | None:
    return after_counting(Reading(lambda _: FixedReader(), ReadReport(), [Source(path, kind) for path in paths])).sizes


def after_counting(reading: Reading) -> Reading:
    """Waits until the lines are counted."""
    reading.counting.join()
    return reading


@given(lines=st.lists(st.sampled_from([b'{"text": "a"}', b"", b"not JSON", b"{"]), max_size=8), newline=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_1_lines_are_counted_as_they_are_read(lines: list[bytes], newline: bool, tmp_path: Path) -> None:
    data = b'{"first": 1}\n' + b"\n".join(lines) + (b"\n" if newline else b"")
    line_count = sum(1 for _ in split_lines([data]))
    for name, compress in (("a.jsonl", bytes), ("a.jsonl.gz", gzip.compress), ("a.jsonl.zst", zstandard.compress)):
        (tmp_path / name).write_bytes(compress(data))
        assert sizes_of(tmp_path / name) == [line_count]


def test_1_rows_are_counted_from_the_header_and_a_document_is_one(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"] * 70}), tmp_path / "a.parquet")
    assert sizes_of(tmp_path / "a.parquet", kind="parquet") == [70]
    assert sizes_of(tmp_path / "a.pdf", tmp_path / "b.pdf", kind="document") == [1, 1]


def test_2_an_input_that_cannot_be_read_to_its_end_is_not_counted_beyond(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert sizes_of(tmp_path / "pipe") is None
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    assert sizes_of(tmp_path / "a.parquet", kind="parquet") is None
    (tmp_path / "a.gz").write_bytes(gzip.compress(b'{"text": "a"}\n' * 50_000)[:-40])
    found = sizes_of(tmp_path / "a.gz")
    assert found is not None
    assert 0 < found[0] <= 50_000


Files = list[tuple[str, Kind, int]]
"""Name, kind and number of lines of each file."""


def reading_of(files: Files, samples: Sequence[Sample] = (), done: int = 0, before: int = 0) -> Reading:
    """A reading that yields the given samples. Of the `done` texts, `before` come before the first sample."""
    inputs = [Source(Path(name), kind) for name, kind, _ in files]
    reading = after_counting(Reading(lambda _report: FixedReader(samples), ReadReport(done=before), inputs, done))
    reading.sizes = [size for _, _, size in files]
    return reading


def sample(file: str, line: int) -> Sample:
    return sample_of(f"{file} {line}").model_copy(update={"place": Place(file=file, line=line)})


def expected(files: Files, read: list[tuple[str, int]], done: int = 0, before: int = 0) -> float | None:
    """The number of texts expected after samples at these places were read."""
    reading, gate = reading_of(files, [sample(*place) for place in read], done, before), Gate(1)

    async def read_samples() -> float | None:
        async with aclosing(reading.samples(gate, any_sample, True)) as samples:
            for _ in read:
                await anext(samples)
            asyncio.get_running_loop().call_soon(gate.close)
            assert await anext(samples, None) is None
            return reading.texts

    return asyncio.run(read_samples())


def test_3_the_rest_is_expected_to_have_as_many_texts_per_line_as_the_part_read() -> None:
    odd = [("a", line) for line in range(2, 21, 2)]
    assert expected([("a", "lines", 100)], odd) == pytest.approx(50)
    assert expected([("a", "lines", 100), ("b", "lines", 100)], odd) == pytest.approx(100)
    both: Files = [("a", "lines", 20), ("b", "lines", 20)]
    assert expected(both, [("a", 10), ("a", 20), ("b", 2)]) == pytest.approx(5.5, 0.1)


def test_3_at_first_each_line_counts_as_a_text_except_finished_ones() -> None:
    assert reading_of([("a", "lines", 100)]).texts == 100
    assert reading_of([("a", "lines", 100)], done=30).texts == 70
    read = [("a", line) for line in range(51, 61)]
    assert expected([("a", "lines", 100)], read, done=50, before=50) == pytest.approx(50)
    assert expected([("a", "lines", 100)], read, done=60, before=50) == pytest.approx(40)


def test_3_documents_are_estimated_from_those_that_were_read() -> None:
    papers: Files = [(name, "document", 1) for name in "abcd"]
    assert reading_of(papers).texts is None
    first = [("a", passage) for passage in range(1, 11)]
    assert expected(papers, first) is None
    assert expected(papers, [*first, ("b", 1), ("b", 2)]) == pytest.approx(48)


async def test_3_at_the_end_the_number_of_texts_is_known(tmp_path: Path) -> None:
    file, report, gate = write_passages(tmp_path / "a.jsonl", range(4)), ReadReport(), Gate(1)
    file.write_text(f"\n{file.read_text()}")
    reading = Reading(lambda report: SampleReader(max_chars=None, report=report), report, find_sources([str(file)]))
    async with aclosing(reading.samples(gate, any_sample, True)) as samples:
        await anext(samples)
        assert after_counting(reading).texts == 2.5
        await anext(samples)
        assert len([sample async for sample in reading.samples(gate, any_sample, False)]) == 4
        assert reading.texts == pytest.approx(10 / 3), "an uncounted pass changes nothing"
        assert report.samples == 2, "nothing is read ahead"
        assert len([sample async for sample in samples]) == 2
    assert reading.texts == 4


async def test_4_errors_of_the_reader_are_raised(tmp_path: Path) -> None:
    missing = [Source(tmp_path / "gone.jsonl", "lines")]
    reading = Reading(lambda report: SampleReader(max_chars=None, report=report), ReadReport(), missing)
    with pytest.raises(UserError, match=r"gone\.jsonl: No such file"):
        await anext(reading.samples(Gate(1), any_sample, True))


@pytest.mark.parametrize(
    ("name", "data"), [("a.tex", b"\\textbf{a} \\emph{b} $c$ " * 400_000), ("a.jsonl", b"\n" * 10**7)]
)
async def test_4_a_reading_ends_with_the_gate_and_reports_no_error(tmp_path: Path, name: str, data: bytes) -> None:
    """An interrupted document does not count as one that crashed its reader, and many blank lines do not delay the end."""
    report, gate = ReadReport(), Gate(1)
    (tmp_path / name).write_bytes(data)
    reading = Reading(lambda report: SampleReader(max_chars=None, report=report), report, find_sources([str(tmp_path)]))
    asyncio.get_running_loop().call_later(0.3, gate.close)
    async with aclosing(reading.samples(gate, any_sample, True)) as samples:
        assert [sample async for sample in samples] == []
    assert (report.lines, report.skipped) == (report.blank, {})
    assert "reading" not in [thread.name for thread in threading.enumerate()]
