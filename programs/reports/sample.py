"""The traces that a page holds: all of them, or as many as it has room for, chosen by a hash and always the same.

Traces are taken in the order of their passages' hashes, so that all traces of a passage come together, until there is no
room. What was taken never depends on the order in which traces were read.
"""

import hashlib
import heapq
import zlib
from dataclasses import dataclass
from typing import Any

import orjson

from programs.reports.embedded import rest_of, row_of
from programs.reports.origin import Seen


@dataclass(frozen=True)
class Kept:
    """A trace that is kept: its `row`, and the rest and its passage compressed. `number` is its place among all."""

    number: int
    row: dict[str, Any]
    rest: bytes
    row_bytes: int

    @property
    def size(self) -> int:
        return len(self.rest) + self.row_bytes // 2


class Sample:
    """Keeps at most `traces` traces and about `size` bytes of them (what one packs them to is known only later)."""

    def __init__(self, traces: int, size: int) -> None:
        self.seen = 0
        self._most, self._room, self._bytes = traces, size, 0
        self._heap: list[tuple[int, int, Kept]] = []
        self._end: tuple[int, int] | None = None
        self._passages: dict[str, tuple[bytes, list[int]]] = {}

    def add(self, seen: Seen, run: int) -> None:
        """Keeps a trace if it belongs to the sample so far."""
        number = self.seen
        self.seen += 1
        row = row_of(seen, run)
        place = (_hash(row["passage"]), number)
        if self._end is not None and place >= self._end:
            return
        kept = Kept(number, row, _pressed(rest_of(seen.record)), len(orjson.dumps(list(row.values()))))
        self._hold(row["passage"], seen.record.source_paper.text, kept.size)
        # The heap has its smallest first, and the last of the order is to go first.
        heapq.heappush(self._heap, (-place[0], -place[1], kept))
        while len(self._heap) > self._most or (self._bytes > self._room and len(self._heap) > 1):
            first, second, dropped = heapq.heappop(self._heap)
            self._end = (-first, -second)
            self._release(dropped)

    def kept(self) -> list[Kept]:
        """The traces that are kept, those of a passage together."""
        return [kept for _, _, kept in sorted(self._heap, reverse=True)]

    def passage(self, name: str) -> str | None:
        """The text of a passage, None where the record has none."""
        text: str | None = orjson.loads(zlib.decompress(self._passages[name][0]))
        return text

    def _hold(self, name: str, text: str | None, size: int) -> None:
        if name not in self._passages:
            self._passages[name] = (_pressed(text), [0])
            self._bytes += len(self._passages[name][0])
        self._passages[name][1][0] += 1
        self._bytes += size

    def _release(self, kept: Kept) -> None:
        name = kept.row["passage"]
        pressed, uses = self._passages[name]
        uses[0] -= 1
        self._bytes -= kept.size
        if not uses[0]:
            self._bytes -= len(pressed)
            del self._passages[name]


def _hash(passage: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"report/{passage}".encode(), digest_size=8).digest(), "big")


def _pressed(value: object) -> bytes:
    return zlib.compress(orjson.dumps(value), 6)
