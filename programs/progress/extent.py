"""How much there is to read: lines, rows and documents, counted beside a run while it goes on.

Of a large plain file only the beginning is counted, and the rest taken to be like it; archives are counted to their end. A
pipe, which could be read only once, and a data set of the Hub are not counted.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from programs.errors import SynthReasonerError
from programs.inputs.archives import read_chunks
from programs.inputs.sources import Source

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
