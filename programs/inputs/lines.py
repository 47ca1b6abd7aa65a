"""The lines of a file, as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from programs.errors import SynthReasonerError
from programs.inputs.archives import read_chunks

DEFAULT_LINE_LIMIT = 64 * 2**20
"""Bytes. A scientific text is a thousand times shorter; what is longer is a file without line ends."""


class RawLine(NamedTuple):
    """A line without its line end.

    `data` is None for a line over the limit. `torn` marks the rest after the last line end of a damaged archive: it
    may be a whole line or a part of one.
    """

    number: int
    data: bytes | None
    torn: bool = False


def read_lines(path: Path, limit: int = DEFAULT_LINE_LIMIT) -> Iterator[RawLine]:
    """The lines of a .jsonl, .gz or .zst, lazily, numbered from 1, holding at most one line of `limit` bytes.

    Raises what `read_chunks` raises; of a damaged archive everything readable is given first.
    """
    return split_lines(read_chunks(path), limit)


def split_lines(chunks: Iterable[bytes], limit: int = DEFAULT_LINE_LIMIT) -> Iterator[RawLine]:
    r"""Cuts a stream of bytes at b"\n" and nowhere else: U+2028 inside a line ends none, and a CR stays.

    What `chunks` raises is raised, after the rest of the last line has been given as `torn`.
    """
    number = 1
    held = _Held(limit)
    try:
        for chunk in chunks:
            head, *tails = chunk.split(b"\n")
            held.add(head)
            for tail in tails:
                yield RawLine(number, held.take())
                number += 1
                held.add(tail)
    except SynthReasonerError:
        if held:
            yield RawLine(number, held.take(), torn=True)
        raise
    if held:
        yield RawLine(number, held.take())


class _Held:
    """The start of a line whose end has not come yet; once over the limit it holds nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = bytearray()
        self._too_long = False

    def __bool__(self) -> bool:
        return self._too_long or bool(self._bytes)

    def add(self, piece: bytes) -> None:
        if self._too_long or len(self._bytes) + len(piece) > self._limit:
            self._too_long = True
            self._bytes = bytearray()
        else:
            self._bytes += piece

    def take(self) -> bytes | None:
        line = None if self._too_long else bytes(self._bytes)
        self._bytes = bytearray()
        self._too_long = False
        return line
