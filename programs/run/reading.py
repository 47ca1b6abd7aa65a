"""The input as a run reads it, and how much of it is still to come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from programs.errors import SynthReasonerError
from programs.inputs.archives import read_chunks
from programs.inputs.report import ReadReport
from programs.inputs.sample import Place, Sample
from programs.inputs.sources import Source

Samples = Callable[[bool], Iterator[Sample | None]]
"""Starts reading anew: a sample or None for each line. The reading with True is the one that is counted."""


class Reading:
    """Reads with `source`. `report` is of the counted reading; `done` texts of the input were finished by earlier runs.

    The texts to come are expected of the lines, rows and documents that are left, as many of each as of those before.
    """

    def __init__(self, source: Samples, report: ReadReport, extent: Extent, done: int) -> None:
        self._source = source
        self._report = report
        self._extent = extent
        self._done = done
        self._numbers = {one.shown: number for number, one in enumerate(extent.sources)}
        self._at: Place | None = None
        self._given = self._given_before = self._done_before = 0
        self._held = 0
        self._over = False

    def samples(self, counted: bool) -> Iterator[Sample | None]:
        """The input from its beginning."""
        for sample in self._source(counted):
            if counted and sample is not None:
                self._gives(sample.place)
            # Whoever reads holds a text until there is room for it, and asks for another only then.
            self._held = int(sample is not None) if counted else self._held
            yield sample
        if counted:
            self._held, self._over = 0, True

    def to_begin(self) -> float | None:
        """How many texts are still to be begun, the one that was read last included; None where nobody knows."""
        if self._over:
            return float(self._held)
        sizes = self._extent.sizes
        if sizes is None:
            return None
        passed = self._passed(sizes)
        before = self._given_before + self._done_before
        texts_a_unit = before / passed if passed else self._first_guess()
        if texts_a_unit is None:
            return None
        rest = texts_a_unit * (sum(sizes) - passed) - max(0, self._done - self._done_before)
        return max(0.0, rest - (self._given - self._given_before)) + self._held

    def _gives(self, place: Place) -> None:
        """A text of this place is given. Those before it come of the units that are passed."""
        if self._at is None or self._unit(place) != self._unit(self._at):
            self._at, self._given_before, self._done_before = place, self._given, self._report.done
        self._given += 1

    def _unit(self, place: Place) -> tuple[int, int]:
        """The source, and the line or row in it; passages of a document are one unit."""
        number = self._numbers[place.file]
        return number, place.line if self._extent.sources[number].kind in ("lines", "parquet") else 1

    def _passed(self, sizes: Sequence[int]) -> int:
        if self._at is None:
            return 0
        number, line = self._unit(self._at)
        return list(accumulate(sizes, initial=0))[number] + line - 1

    def _first_guess(self) -> float | None:
        """A line or a row has one text; what a document has only its like can tell."""
        counted = all(source.kind in ("lines", "parquet") for source in self._extent.sources)
        return 1.0 if counted else None


class Chosen:
    """Gives the texts that a pilot chose, in place of the input."""

    def __init__(self, texts: Sequence[Sample]) -> None:
        self._texts = texts
        self._left = len(texts)

    def samples(self, counted: bool) -> Iterator[Sample | None]:
        """The texts from the first."""
        for sample in self._texts:
            yield sample
            self._left -= int(counted)

    def to_begin(self) -> float | None:
        """How many texts are still to be begun, the one that was given last included."""
        return float(self._left)


MOST_BYTES = 256 * 2**20
"""Of a plain file, as many are counted: a fraction of a second."""

_CHUNK = 1 << 20
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


class Extent:
    """The size of an input. `sizes` are those of its sources: lines of JSON, rows of a table, 1 for anything else; None
    until they are counted, which begins with `start` and ends with `close` at the latest."""

    def __init__(self, sources: Sequence[Source], most_bytes: int = MOST_BYTES) -> None:
        self.sources = sources
        self.sizes: list[int] | None = None
        self._most_bytes = most_bytes
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._count, name="input-extent", daemon=True)

    def start(self) -> Extent:
        """Counts in a thread of its own."""
        self._thread.start()
        return self

    def wait(self) -> list[int] | None:
        """The sizes, once the counting is over."""
        self._thread.join()
        return self.sizes

    def close(self) -> None:
        """Ends the counting."""
        self._closed.set()

    def _count(self) -> None:
        sizes = []
        for source in self.sources:
            size = self._size_of(source)
            if size is None:
                return
            sizes.append(size)
        self.sizes = sizes

    def _size_of(self, source: Source) -> int | None:
        path = source.name
        if not isinstance(path, Path):
            return None
        if source.kind not in ("lines", "parquet"):
            return 1
        try:
            if not path.is_file():
                return None
            return _rows(path) if source.kind == "parquet" else self._lines(path)
        except OSError:
            return None

    def _lines(self, path: Path) -> int | None:
        with path.open("rb") as file:
            packed = file.read(4).startswith(_PACKED)
        return self._packed(path) if packed else self._plain(path)

    def _plain(self, path: Path) -> int | None:
        size = path.stat().st_size
        counted = ends = 0
        last = b"\n"
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                if self._closed.is_set():
                    return None
                counted, ends, last = counted + len(chunk), ends + chunk.count(b"\n"), chunk[-1:]
                if counted >= self._most_bytes:
                    return round(ends * max(1.0, size / counted))
        return ends + (last != b"\n")

    def _packed(self, path: Path) -> int | None:
        ends, last = 0, b"\n"
        try:
            for chunk in read_chunks(path):
                if self._closed.is_set():
                    return None
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
