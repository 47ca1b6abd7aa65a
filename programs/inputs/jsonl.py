"""Samples of one file of JSON lines."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from programs.errors import SynthReasonerError
from programs.inputs.archives import DamagedArchive, TruncatedArchive, read_chunks
from programs.inputs.parsing import BadLine, parse_object
from programs.inputs.record import TEXT_FIELD, sample_of_record
from programs.inputs.report import DAMAGED_ARCHIVE, LINE_TOO_LONG, TRUNCATED_ARCHIVE
from programs.inputs.sample import Place, Sample, bytes_id
from programs.inputs.sample_filter import SampleFilter

# Files joined with `cat` carry the byte order mark of the second one within; files that a crash left half written
# are filled with NULs.
_PADDING = b" \t\r\0"


def step_jsonl(path: Path, sample_filter: SampleFilter, *, text_field: str = TEXT_FIELD) -> Iterator[Sample | None]:
    """The samples of a file, lazily, in its order, with a None for every line that gives none.

    Every line is accepted or skipped for a reason that the filter's report counts, and none takes another with it. A text
    beyond the filter's limit gives passages. Raises UserError when the file cannot be read at all.
    """
    sample_filter.report.files += 1
    line = 0
    try:
        for raw in read_lines(path):
            line = raw.number
            if raw.data is not None and sample_filter.known(bytes_id(raw.data)):
                yield None
                continue
            place = Place(file=str(path), line=line)
            yield from sample_filter.record(partial(_sample, raw.data, place, text_field), place, torn=raw.torn)
    except TruncatedArchive:
        sample_filter.report.skip(TRUNCATED_ARCHIVE, Place(file=str(path), line=max(line, 1)))
    except DamagedArchive:
        sample_filter.report.skip(DAMAGED_ARCHIVE, Place(file=str(path), line=max(line, 1)))


def _sample(data: bytes | None, place: Place, text_field: str) -> Sample | None:
    """None for a blank line; raises BadLine."""
    if data is None:
        raise BadLine(LINE_TOO_LONG)
    line_id = bytes_id(data)
    data = data.removeprefix(codecs.BOM_UTF8).strip(_PADDING)
    return sample_of_record(parse_object(data), place, line_id, text_field) if data else None


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
