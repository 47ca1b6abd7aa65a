"""The input as a run reads it, and how many texts it has."""

import asyncio
import contextlib
import queue
import stat
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from programs.errors import SynthReasonerError
from programs.inputs.archives import read_chunks
from programs.inputs.reader import SampleReader
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.inputs.sources import Source
from programs.run.gate import Gate

COUNTED = ("lines", "parquet")
"""Kinds of inputs whose lines or rows are counted; anything else is one."""

LONGEST_END = 0.5
"""Seconds in which a reading that is closed has ended, unless it waits for a file system."""


class Reading:
    """The input from its beginning, as often as asked: `reader` makes what reads it and tells a report; `report` is that of
    the reading which counts. `done` texts of the input were finished by earlier runs. Its lines are counted in a thread
    (`counting`); what cannot be read twice never is, and the input is not `repeatable`."""

    def __init__(
        self, reader: Callable[[ReadReport], SampleReader], report: ReadReport, sources: Sequence[Source], done: int = 0
    ) -> None:
        self.report = report
        self._reader, self._sources, self._done = reader, sources, done
        self._starts = {one.shown: number for number, one in enumerate(sources)}
        self._given = self._file = self._line = 0
        self._over = False
        self.repeatable = not any(_is_pipe(one.name) for one in sources)
        self.sizes: list[int] | None = None
        self.counting = threading.Thread(target=self._count, name="input-extent", daemon=True)
        self.counting.start()

    async def samples(
        self, gate: Gate, wanted: Callable[[Sample], bool], counted: bool
    ) -> AsyncGenerator[Sample, None]:
        """The samples that are wanted, which is asked in a thread, until the gate is closed. The thread reads each one once
        it is asked for: what a file system or a pipe holds up holds up nothing else."""
        reader = self._reader(self.report if counted else ReadReport())
        asked = queue.SimpleQueue[Future[Sample | None] | None]()
        samples = filter(wanted, reader.samples(self._sources))
        # No executor's: a thread of those is waited for when the program ends.
        thread = threading.Thread(target=_fetch, args=(samples, asked), name="reading", daemon=True)
        thread.start()
        try:
            while not gate.closed:
                fetched: Future[Sample | None] = Future()
                asked.put(fetched)
                found = asyncio.wrap_future(fetched)
                await gate.unless_closed(found)
                if found.cancelled():
                    return
                sample = found.result()
                self._over |= counted and sample is None
                if sample is None:
                    return
                if counted:
                    self._given += 1
                    self._file, self._line = self._starts[sample.place.file], sample.place.line
                yield sample
        finally:
            asked.put(None)
            reader.close()
            await asyncio.to_thread(thread.join, LONGEST_END)

    @property
    def texts(self) -> float | None:
        """How many texts the input has that earlier runs did not finish, of what is left estimated; None: nobody knows."""
        if self._over:
            return float(self._given)
        if self.sizes is None:
            return None
        # A document is through once the next one begins.
        in_file = self._line if self._sources and self._sources[self._file].kind in COUNTED else 0
        passed, found = sum(self.sizes[: self._file]) + in_file, self._given + self.report.done
        # At first a line is taken to have a text; what a document has only its like can tell.
        if not passed and any(source.kind not in COUNTED for source in self._sources):
            return None
        of_each = found / passed if passed else 1.0
        return max(self._given, of_each * sum(self.sizes) - max(self._done, self.report.done))

    def _count(self) -> None:
        sizes = [size for source in self._sources if (size := _size_of(source)) is not None]
        if len(sizes) == len(self._sources):
            self.sizes = sizes


def _fetch(samples: Iterator[Sample], asked: "queue.SimpleQueue[Future[Sample | None] | None]") -> None:
    """Gives each one that asks the next sample, None where there is no more, or what reading it raises; None ends it."""
    while (fetched := asked.get()) is not None:
        if fetched.set_running_or_notify_cancel():
            try:
                fetched.set_result(next(samples, None))
            except BaseException as error:
                fetched.set_exception(error)


def _is_pipe(name: object) -> bool:
    # Whether a file can be opened at all is for the reader to say.
    with contextlib.suppress(OSError):
        return isinstance(name, Path) and not stat.S_ISREG(name.stat().st_mode)
    return False


def _size_of(source: Source) -> int | None:
    """The lines or rows of a source, or 1; None where they cannot be counted."""
    path = source.name
    if not isinstance(path, Path):
        return None
    if source.kind not in COUNTED:
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
    ends, last = 0, b"\n"
    # The run says what is wrong with the file; what could be unpacked of it counts.
    with contextlib.suppress(SynthReasonerError):
        for chunk in read_chunks(path):
            ends, last = ends + chunk.count(b"\n"), chunk[-1:]
    return ends + (last != b"\n")
