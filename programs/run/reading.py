"""Reads the input of a run, and estimates how many texts it has."""

import asyncio
import contextlib
import queue
import stat
import threading
from collections.abc import AsyncGenerator, Callable, Container, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from programs.asking.models import passage_chars_of
from programs.errors import SynthReasonerError
from programs.inputs.archives import read_chunks
from programs.inputs.reader import SampleReader
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.inputs.sources import Source
from programs.run.gate import Gate
from programs.settings import Settings

COUNTED_KINDS = ("lines", "parquet")
"""Kinds of sources whose lines or rows are counted; any other source counts as one."""

CLOSE_SECONDS = 0.5
"""Seconds to wait for the reading thread when it is closed; a file system may block it for longer."""


def reader_of(settings: Settings, done: Container[str], report: ReadReport) -> SampleReader:
    """The reader of a run's input, which skips the lines that are `done`."""
    max_chars = settings.max_passage_chars or passage_chars_of(settings.model)
    return SampleReader(max_chars=max_chars, report=report, done=done, **settings.reader_options)


class Reading:
    """Reads the input, each pass from its start. `reader` makes a reader that counts in the report given; `report` is that
    of the `counted` passes. `done`: lines that earlier runs finished. A thread (`counting`) counts the input's lines.
    Pipes, which cannot be read twice, are not counted; with one, the input is not `repeatable`."""

    def __init__(
        self, reader: Callable[[ReadReport], SampleReader], report: ReadReport, sources: Sequence[Source], done: int = 0
    ) -> None:
        self.report = report
        self._reader, self._sources = reader, sources
        self._done = done
        self._source_numbers = {source.display_name: number for number, source in enumerate(sources)}
        self._yielded = self._file = self._line = 0
        self._exhausted = False
        self.repeatable = not any(_is_pipe(source.name) for source in sources)
        self.sizes: list[int] | None = None
        self.counting = threading.Thread(target=self._count, name="input-extent", daemon=True)
        self.counting.start()

    async def samples(
        self, gate: Gate, wanted: Callable[[Sample], bool], counted: bool
    ) -> AsyncGenerator[Sample, None]:
        """Yields the samples that are `wanted`, until the gate is closed. A thread reads them, one at a time on demand, and
        calls `wanted`, so that slow files and pipes block nothing else. A `counted` pass updates `report` and `texts`."""
        reader = self._reader(self.report if counted else ReadReport())
        requests = queue.SimpleQueue[Future[Sample | None] | None]()
        samples = filter(wanted, reader.samples(self._sources))
        # Not an executor's thread: the interpreter would wait for it at exit.
        thread = threading.Thread(target=_fetch, args=(samples, requests), name="reading", daemon=True)
        thread.start()
        try:
            while not gate.closed:
                request: Future[Sample | None] = Future()
                requests.put(request)
                future = asyncio.wrap_future(request)
                await gate.wait_unless_closed(future)
                if future.cancelled():
                    return
                sample = future.result()
                self._exhausted |= counted and sample is None
                if sample is None:
                    return
                if counted:
                    self._yielded += 1
                    self._file, self._line = self._source_numbers[sample.place.file], sample.place.line
                yield sample
        finally:
            requests.put(None)
            reader.close()
            await asyncio.to_thread(thread.join, CLOSE_SECONDS)

    @property
    def texts(self) -> float | None:
        """The number of texts, without those skipped as done, estimated for the unread part; None if unknown."""
        if self._exhausted:
            return float(self._yielded)
        if self.sizes is None:
            return None
        # A document counts as read once the next one starts.
        in_file = self._line if self._sources and self._sources[self._file].kind in COUNTED_KINDS else 0
        passed_lines = sum(self.sizes[: self._file]) + in_file
        found_texts = self._yielded + self.report.done
        # Before anything is read, each line counts as one text; documents give no estimate yet.
        if not passed_lines and any(source.kind not in COUNTED_KINDS for source in self._sources):
            return None
        texts_per_line = found_texts / passed_lines if passed_lines else 1.0
        return max(self._yielded, texts_per_line * sum(self.sizes) - max(self._done, self.report.done))

    def _count(self) -> None:
        sizes = [size for source in self._sources if (size := _size_of(source)) is not None]
        if len(sizes) == len(self._sources):
            self.sizes = sizes


def _fetch(samples: Iterator[Sample], requests: "queue.SimpleQueue[Future[Sample | None] | None]") -> None:
    """Resolves each future with the next sample, None at the end, or the error raised; returns at None."""
    while (request := requests.get()) is not None:
        if request.set_running_or_notify_cancel():
            try:
                request.set_result(next(samples, None))
            except BaseException as error:
                request.set_exception(error)


def _is_pipe(name: object) -> bool:
    # The reader reports files that cannot be opened.
    with contextlib.suppress(OSError):
        return isinstance(name, Path) and not stat.S_ISREG(name.stat().st_mode)
    return False


def _size_of(source: Source) -> int | None:
    """The lines or rows of a source, 1 for a document; None if they cannot be counted."""
    path = source.name
    if not isinstance(path, Path):
        return None
    if source.kind not in COUNTED_KINDS:
        return 1
    if source.kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return int(pq.read_metadata(path).num_rows)
        except (pa.ArrowException, OSError):
            return None
    if not path.is_file():
        return None
    newlines, last = 0, b"\n"
    # The run reports what is wrong with the file; the part that could be unpacked counts.
    with contextlib.suppress(SynthReasonerError):
        for chunk in read_chunks(path):
            newlines += chunk.count(b"\n")
            last = chunk[-1:]
    return newlines + (last != b"\n")
