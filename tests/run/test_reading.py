"""Invariants of how much there is to read (`programs.run.reading`):

1. Lines are counted as the reader counts them: plain or packed, with or without a last line end, blank ones too; rows of a
   table as its head says; a document is one.
2. What cannot be read twice is not counted: nobody knows, and nothing is guessed.
3. The texts of an input are expected of what is left as of what was read: at first one a line, of documents none can be
   told before the first is through. What earlier runs finished is none of them.
4. A thread reads, one sample when it is asked for; what it raises is raised. Once the gate is closed it ends, whatever it
   waits for, and counts nothing for that.
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


class Given(SampleReader):
    """A reader of samples that are at hand, which ends once it is closed."""

    def __init__(self, given: Sequence[Sample] = ()) -> None:
        super().__init__(max_chars=None, report=ReadReport())
        self._given, self._ended = given, threading.Event()

    def samples(self, _inputs: Sequence[Source]) -> Iterator[Sample]:
        yield from self._given
        self._ended.wait()

    def close(self) -> None:
        self._ended.set()


def every(_sample: Sample) -> bool:
    return True


def counted(*paths: Path, kind: Kind = "lines") -> list[int] | None:
    return waited_for(Reading(lambda _: Given(), ReadReport(), [Source(path, kind) for path in paths])).sizes


def waited_for(reading: Reading) -> Reading:
    """A reading whose lines are counted."""
    reading.counting.join()
    return reading


@given(lines=st.lists(st.sampled_from([b'{"text": "a"}', b"", b"not JSON", b"{"]), max_size=8), ended=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_1_lines_are_counted_as_they_are_read(lines: list[bytes], ended: bool, tmp_path: Path) -> None:
    data = b'{"first": 1}\n' + b"\n".join(lines) + (b"\n" if ended else b"")
    truth = sum(1 for _ in split_lines([data]))
    for name, packed in (("a.jsonl", bytes), ("a.jsonl.gz", gzip.compress), ("a.jsonl.zst", zstandard.compress)):
        (tmp_path / name).write_bytes(packed(data))
        assert counted(tmp_path / name) == [truth]


def test_1_rows_are_as_many_as_the_head_says_and_a_document_is_one(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"] * 70}), tmp_path / "a.parquet")
    assert counted(tmp_path / "a.parquet", kind="parquet") == [70]
    assert counted(tmp_path / "a.pdf", tmp_path / "b.pdf", kind="document") == [1, 1]


def test_2_what_cannot_be_read_to_its_end_is_not_counted_beyond_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert counted(tmp_path / "pipe") is None
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    assert counted(tmp_path / "a.parquet", kind="parquet") is None
    (tmp_path / "a.gz").write_bytes(gzip.compress(b'{"text": "a"}\n' * 50_000)[:-40])
    found = counted(tmp_path / "a.gz")
    assert found is not None
    assert 0 < found[0] <= 50_000


Files = list[tuple[str, Kind, int]]
"""Name, kind and size of each."""


def reading_of(files: Files, samples: Sequence[Sample] = (), done: int = 0, before: int = 0) -> Reading:
    """An input of which samples are given by hand; `before` of the `done` texts stood before the first of them."""
    inputs = [Source(Path(name), kind) for name, kind, _ in files]
    reading = waited_for(Reading(lambda _report: Given(samples), ReadReport(done=before), inputs, done))
    reading.sizes = [size for _, _, size in files]
    return reading


def sample(file: str, line: int) -> Sample:
    return sample_of(f"{file} {line}").model_copy(update={"place": Place(file=file, line=line)})


def expected(files: Files, read: list[tuple[str, int]], done: int = 0, before: int = 0) -> float | None:
    """How many texts are expected once the samples of these places were read."""
    reading, gate = reading_of(files, [sample(*place) for place in read], done, before), Gate(1)

    async def read_so_far() -> float | None:
        async with aclosing(reading.samples(gate, every, True)) as samples:
            for _ in read:
                await anext(samples)
            asyncio.get_running_loop().call_soon(gate.close)
            assert await anext(samples, None) is None
            return reading.texts

    return asyncio.run(read_so_far())


def test_3_half_of_the_lines_gave_a_text_and_so_will_half_of_the_rest() -> None:
    odd = [("a", line) for line in range(2, 21, 2)]
    assert expected([("a", "lines", 100)], odd) == pytest.approx(50)
    assert expected([("a", "lines", 100), ("b", "lines", 100)], odd) == pytest.approx(100)
    both: Files = [("a", "lines", 20), ("b", "lines", 20)]
    assert expected(both, [("a", 10), ("a", 20), ("b", 2)]) == pytest.approx(5.5, 0.1)


def test_3_at_first_a_line_is_taken_to_have_a_text_and_finished_lines_are_no_work() -> None:
    assert reading_of([("a", "lines", 100)]).texts == 100
    assert reading_of([("a", "lines", 100)], done=30).texts == 70
    read = [("a", line) for line in range(51, 61)]
    assert expected([("a", "lines", 100)], read, done=50, before=50) == pytest.approx(50)
    assert expected([("a", "lines", 100)], read, done=60, before=50) == pytest.approx(40)


def test_3_documents_are_told_by_those_that_are_through() -> None:
    papers: Files = [(name, "document", 1) for name in "abcd"]
    assert reading_of(papers).texts is None
    first = [("a", passage) for passage in range(1, 11)]
    assert expected(papers, first) is None
    assert expected(papers, [*first, ("b", 1), ("b", 2)]) == pytest.approx(48)


async def test_3_at_its_end_a_reading_knows_its_texts(tmp_path: Path) -> None:
    file, report, gate = write_passages(tmp_path / "a.jsonl", range(4)), ReadReport(), Gate(1)
    file.write_text(f"\n{file.read_text()}")
    reading = Reading(lambda report: SampleReader(max_chars=None, report=report), report, find_sources([str(file)]))
    async with aclosing(reading.samples(gate, every, True)) as samples:
        await anext(samples)
        assert waited_for(reading).texts == 2.5
        await anext(samples)
        assert len([one async for one in reading.samples(gate, every, False)]) == 4
        assert reading.texts == pytest.approx(10 / 3), "a reading that does not count changes nothing"
        assert report.samples == 2, "nothing is read before it is asked for"
        assert len([one async for one in samples]) == 2
    assert reading.texts == 4


async def test_4_what_reading_raises_is_raised(tmp_path: Path) -> None:
    gone = [Source(tmp_path / "gone.jsonl", "lines")]
    reading = Reading(lambda report: SampleReader(max_chars=None, report=report), ReadReport(), gone)
    with pytest.raises(UserError, match=r"gone\.jsonl: No such file"):
        await anext(reading.samples(Gate(1), every, True))


@pytest.mark.parametrize(
    ("name", "data"), [("a.tex", b"\\textbf{a} \\emph{b} $c$ " * 400_000), ("a.jsonl", b"\n" * 10**7)]
)
async def test_4_a_reading_ends_with_the_gate_and_counts_nothing_for_it(tmp_path: Path, name: str, data: bytes) -> None:
    """The document that is being read then is no document that crashed its reader, and many lines without a text do not
    hold it up."""
    report, gate = ReadReport(), Gate(1)
    (tmp_path / name).write_bytes(data)
    reading = Reading(lambda report: SampleReader(max_chars=None, report=report), report, find_sources([str(tmp_path)]))
    asyncio.get_running_loop().call_later(0.3, gate.close)
    async with aclosing(reading.samples(gate, every, True)) as samples:
        assert [one async for one in samples] == []
    assert (report.lines, report.skipped) == (report.blank, {})
    assert "reading" not in [thread.name for thread in threading.enumerate()]
