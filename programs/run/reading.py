"""The input as a run reads it, and how much of it is still to come."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from programs.errors import SynthReasonerError
from programs.inputs.archives import read_chunks
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.inputs.sources import Source

COUNTED = ("lines", "parquet")
"""Kinds of inputs whose lines or rows are counted; anything else is one."""


class Reading:
    """The input from its beginning, as often as asked: `read` gives a sample or None for each line, and tells a report;
    `report` is that of the reading which counts. `done` texts of the input were finished by earlier runs.

    Its lines are counted in a thread (`counting`); what cannot be read twice never is.
    """

    def __init__(
        self,
        read: Callable[[ReadReport], Iterator[Sample | None]],
        report: ReadReport,
        sources: Sequence[Source],
        done: int = 0,
    ) -> None:
        self._read, self._report, self._sources, self._done = read, report, sources, done
        self._numbers = {one.shown: number for number, one in enumerate(sources)}
        self._passed = self._file = self._given = self._held = 0
        self._over = False
        self.sizes: list[int] | None = None
        """The lines of each source, once they are counted."""
        self.counting = threading.Thread(target=self._count, name="input-extent", daemon=True)
        self.counting.start()

    def samples(self, counted: bool) -> Iterator[Sample | None]:
        for sample in self._read(self._report if counted else ReadReport()):
            if counted:
                # Whoever reads holds a text until there is room for it, and asks for another only then.
                self._held = int(sample is not None)
                self._given += self._held
                if sample is not None:
                    self._file = self._numbers[sample.place.file]
                    # A document counts once the next one begins.
                    self._passed = sample.place.line if self._sources[self._file].kind in COUNTED else 0
            yield sample
        if counted:
            self._held, self._over = 0, True

    def to_begin(self) -> float | None:
        """How many texts are still to be begun, the one that was read last included: of each line, row or document that is
        left as many as of those that were read. None where nobody knows."""
        if self._over:
            return 0.0
        sizes = self.sizes
        if sizes is None:
            return None
        passed, found = sum(sizes[: self._file]) + self._passed, self._given + self._report.done
        # At first a line is taken to have a text; what a document has only its like can tell.
        if not passed and any(source.kind not in COUNTED for source in self._sources):
            return None
        of_each = found / passed if passed else 1.0
        later = max(0, self._done - self._report.done)
        return max(0.0, of_each * (sum(sizes) - passed) - later) + self._held

    def _count(self) -> None:
        sizes = [size for source in self._sources if (size := _size_of(source)) is not None]
        if len(sizes) == len(self._sources):
            self.sizes = sizes


def _size_of(source: Source) -> int | None:
    path = source.name
    if source.kind not in COUNTED and isinstance(path, Path):
        return 1
    if not isinstance(path, Path) or not path.is_file():
        return None
    return _rows(path) if source.kind == "parquet" else _lines(path)


def _lines(path: Path) -> int:
    ends, last = 0, b"\n"
    # The run says what is wrong with the file; what could be unpacked of it counts.
    with contextlib.suppress(SynthReasonerError):
        for chunk in read_chunks(path):
            ends, last = ends + chunk.count(b"\n"), chunk[-1:]
    return ends + (last != b"\n")


def _rows(path: Path) -> int | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return None
