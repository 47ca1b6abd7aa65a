"""The lines of a file of JSON lines, the object on each, and the sample that an object is."""

import codecs
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from programs.errors import UserError
from programs.inputs.archives import BrokenArchive, read_chunks
from programs.inputs.cleaning import clean_line, portable
from programs.inputs.report import Skip, Unreadable
from programs.inputs.sample import Place, Sample, sample_of

TEXT_FIELD = "text"
DEFAULT_LINE_LIMIT = 16 * 2**20
"""Bytes. A scientific text is a hundred times shorter; what is longer is a file without line ends, or fills memory."""

# Files joined with `cat` carry the byte order mark of the second one within; files that a crash left half written
# are filled with NULs.
_PADDING = b" \t\r\0"

_DECODER = json.JSONDecoder(
    strict=False,
    # Past some thousand digits Python itself refuses to convert.
    parse_int=lambda digits: int(digits) if len(digits) <= 20 else digits,
    parse_constant=lambda _: None,
)


class RawLine(NamedTuple):
    """A line without its line end, `data` None where it is over the limit. `torn` marks the rest after the last line end of
    a damaged archive, which may be a whole line or a part of one."""

    number: int
    data: bytes | None
    torn: bool = False


def read_lines(path: Path, limit: int = DEFAULT_LINE_LIMIT) -> Iterator[RawLine]:
    """The lines of a .jsonl, .gz or .zst, lazily, numbered from 1, holding at most one of `limit` bytes. Raises what
    `read_chunks` raises; of a damaged archive everything readable is given first."""
    return split_lines(read_chunks(path), limit)


def split_lines(chunks: Iterable[bytes], limit: int = DEFAULT_LINE_LIMIT) -> Iterator[RawLine]:
    r"""Cuts a stream of bytes at b"\n" and nowhere else: U+2028 inside a line ends none, and a CR stays. When `chunks`
    raises BrokenArchive it is raised, after the rest of the last line has been given as `torn`."""
    number, held = 1, bytearray()

    def line(torn: bool = False) -> RawLine:
        return RawLine(number, None if len(held) > limit else bytes(held), torn)

    try:
        for chunk in chunks:
            *whole, rest = chunk.split(b"\n")
            for piece in whole:
                held += piece[: limit + 1 - len(held)]
                yield line()
                number, held = number + 1, bytearray()
            # One byte over the limit tells that there are too many.
            held += rest[: limit + 1 - len(held)]
    except BrokenArchive:
        if held:
            yield line(torn=True)
        raise
    if held:
        yield line()


def parse_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object on a line, made of values that every JSON writer takes (`portable`); None for a blank line. Control
    characters within strings are allowed, NaN and infinite numbers are null (pandas writes them for what is missing), the
    last of equal keys counts. Raises Unreadable."""
    data = data.removeprefix(codecs.BOM_UTF8).strip(_PADDING)
    if not data:
        return None
    try:
        record = portable(_DECODER.decode(data.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise Unreadable(Skip.BAD_UTF8) from error
    except RecursionError as error:
        raise Unreadable(Skip.NESTED_TOO_DEEP) from error
    except ValueError as error:
        raise Unreadable(Skip.NOT_JSON) from error
    if not isinstance(record, dict):
        raise Unreadable(Skip.NOT_AN_OBJECT)
    return record


def objects_of(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of a .jsonl, .gz or .zst whose every line is to be one or blank, each with its place ("FILE:LINE").
    Raises `UserError`, with the place, for a line that is none, and for a file that cannot be read."""
    place = str(path)
    try:
        for line in read_lines(path):
            place = f"{path}:{line.number}"
            if line.data is None:
                raise Unreadable(Skip.LINE_TOO_LONG)
            if (record := parse_object(line.data)) is not None:
                yield record, place
    except Unreadable as problem:
        raise UserError(f"{place}: {problem}") from None


def sample_of_record(record: dict[str, Any], place: Place, line_id: str, text_field: str = TEXT_FIELD) -> Sample:
    """The sample that a record is; it takes the fields that it uses out of it. Raises `Unreadable` where there is no
    text."""
    text = record.pop(text_field, None)
    if not isinstance(text, str):
        raise Unreadable(Skip.NO_TEXT if text is None else Skip.TEXT_NOT_STRING)
    if isinstance(number := record.get("id"), int) and not isinstance(number, bool):
        record["id"] = str(number)
    # What cannot be used stays among the other fields.
    usable = [name for name in ("title", "domain", "id") if isinstance(record.get(name), str | None)]
    said = {name: clean_line(record.pop(name, None) or "") or None for name in usable}
    title, domain, given_id = map(said.get, ("title", "domain", "id"))
    sample = sample_of(text, title=title, domain=domain, given_id=given_id, place=place, line_id=line_id, extra=record)
    if not sample.text:
        raise Unreadable(Skip.EMPTY_TEXT)
    return sample
