"""The input as a run reads it, and how much of it is still to come."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from programs.errors import SynthReasonerError
from programs.inputs.archives import read_chunks
from programs.inputs.report import ReadReport
from programs.inputs.sample import Place, Sample
from programs.inputs.sources import Source

COUNTED = ("lines", "parquet")
"""Kinds of inputs whose lines or rows are counted; anything else is one."""


class Extent:
    """The size of an input. `sizes` are those of its sources; None until they are counted, which begins with `start`, in a
    thread of its own, and ends with `close` at the latest. What cannot be read twice is never counted."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        self.sizes: list[int] | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._count, name="input-extent", daemon=True)

    def start(self) -> "Extent":
        self._thread.start()
        return self

    def wait(self) -> list[int] | None:
        """The sizes, once the counting is over."""
        self._thread.join()
        return self.sizes

    def close(self) -> None:
        self._closed.set()

    def _count(self) -> None:
        sizes = [size for source in self.sources if (size := self._size_of(source)) is not None]
        if len(sizes) == len(self.sources) and not self._closed.is_set():
            self.sizes = sizes

    def _size_of(self, source: Source) -> int | None:
        path = source.name
        if source.kind not in COUNTED and isinstance(path, Path):
            return 1
        if not isinstance(path, Path) or not path.is_file():
            return None
        return _rows(path) if source.kind == "parquet" else self._lines(path)

    def _lines(self, path: Path) -> int:
        ends, last = 0, b"\n"
        try:
            for chunk in read_chunks(path):
                if self._closed.is_set():
                    break
                ends, last = ends + chunk.count(b"\n"), chunk[-1:]
        except SynthReasonerError:
            # The run says what is wrong with the file; what could be unpacked of it counts.
            pass
        return ends + (last != b"\n")


def _rows(path: Path) -> int | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowException:
        return None


class Reading:
    """The input from its beginning, as often as asked: `source(counted)` gives a sample or None for each line, and
    the reading with True is the one that `report` is of. `done` texts of the input were finished by earlier runs."""

    def __init__(
        self, source: Callable[[bool], Iterator[Sample | None]], report: ReadReport, extent: Extent, done: int
    ) -> None:
        self._source = source
        self._report = report
        self._extent = extent
        self._done = done
        self._numbers = {one.shown: number for number, one in enumerate(extent.sources)}
        self._at = (0, 1)
        self._given = self._given_before = self._done_before = self._held = 0
        self._over = False

    def samples(self, counted: bool) -> Iterator[Sample | None]:
        for sample in self._source(counted):
            if counted:
                # Whoever reads holds a text until there is room for it, and asks for another only then.
                self._held = int(sample is not None)
                if sample is not None:
                    self._gives(sample.place)
            yield sample
        if counted:
            self._held, self._over = 0, True

    def _gives(self, place: Place) -> None:
        number = self._numbers[place.file]
        at = (number, place.line if self._extent.sources[number].kind in COUNTED else 1)
        if at != self._at:
            self._at, self._given_before, self._done_before = at, self._given, self._report.done
        self._given += 1

    def to_begin(self) -> float | None:
        """How many texts are still to be begun, the one that was read last included: as many of each line, row or document
        that is left as of those before. None where nobody knows."""
        if self._over:
            return float(self._held)
        sizes, (number, line) = self._extent.sizes, self._at
        if sizes is None:
            return None
        passed = sum(sizes[:number]) + line - 1
        # At first a line is taken to have a text; what a document has only its like can tell.
        if not passed and any(source.kind not in COUNTED for source in self._extent.sources):
            return None
        of_each = (self._given_before + self._done_before) / passed if passed else 1.0
        rest = of_each * (sum(sizes) - passed) - max(0, self._done - self._done_before)
        return max(0.0, rest - (self._given - self._given_before)) + self._held


class Chosen:
    """Gives the texts that a pilot chose, in place of the input."""

    def __init__(self, texts: Sequence[Sample]) -> None:
        self._texts = texts
        self._left = len(texts)

    def samples(self, counted: bool) -> Iterator[Sample | None]:
        for sample in self._texts:
            yield sample
            self._left -= int(counted)

    def to_begin(self) -> float | None:
        """How many texts are still to be begun, the one that was given last included."""
        return float(self._left)
