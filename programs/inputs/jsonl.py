"""JSON Lines files: their lines, the object on each line, and the sample that an object describes."""

import codecs
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from programs.errors import UserError
from programs.inputs.archives import check_readable, read_chunks
from programs.inputs.cleaning import clean_line, to_json_value
from programs.inputs.report import SkipReason, Unreadable
from programs.inputs.sample import Place, Sample, sample_of

TEXT_FIELD = "text"
DEFAULT_LINE_LIMIT = 16 * 2**20
"""Bytes. Scientific texts are a hundred times shorter; a longer line is a file without line ends, or would fill memory."""

# Files joined with `cat` contain the byte order mark of the second file; files that a crash left half written are padded
# with NULs.
_PADDING = b" \t\r\0"

_DECODER = json.JSONDecoder(
    strict=False,
    # Python refuses to convert more than some thousand digits.
    parse_int=lambda digits: int(digits) if len(digits) <= 20 else digits,
    parse_constant=lambda _: None,
)


def read_lines(path: Path, limit: int = DEFAULT_LINE_LIMIT) -> Iterator[bytes | None]:
    """The lines of a .jsonl, .gz or .zst file without their ends, lazily; None for one that exceeds the limit. Holds at
    most one line of `limit` bytes in memory. Raises what `read_chunks` raises, after the lines before the damage."""
    return split_lines(read_chunks(path), limit)


def split_lines(chunks: Iterable[bytes], limit: int = DEFAULT_LINE_LIMIT) -> Iterator[bytes | None]:
    r"""Splits a stream of bytes at b"\n" and nowhere else: U+2028 does not end a line, and a CR is kept."""
    buffer = bytearray()
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            # One byte over the limit is enough to tell that the line is too long.
            buffer += piece[: limit + 1 - len(buffer)]
            yield None if len(buffer) > limit else bytes(buffer)
            buffer.clear()
        buffer += rest[: limit + 1 - len(buffer)]
    if buffer:
        yield None if len(buffer) > limit else bytes(buffer)


def parse_object(data: bytes) -> dict[str, Any] | None:
    """Parses the JSON object on a line, with its values converted by `to_json_value`; None for a blank line. Control
    characters are allowed in strings, NaN and infinities become null (pandas writes NaN for missing values), and the last
    of duplicate keys wins. Raises Unreadable if there is no valid object."""
    data = data.removeprefix(codecs.BOM_UTF8).strip(_PADDING)
    if not data:
        return None
    try:
        record = to_json_value(_DECODER.decode(data.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise Unreadable(SkipReason.BAD_UTF8) from error
    except RecursionError as error:
        raise Unreadable(SkipReason.NESTED_TOO_DEEP) from error
    except ValueError as error:
        raise Unreadable(SkipReason.NOT_JSON) from error
    if not isinstance(record, dict):
        raise Unreadable(SkipReason.NOT_AN_OBJECT)
    return record


def read_objects(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of a .jsonl, .gz or .zst file, each with its place ("FILE:LINE"). Raises `UserError`, with the place, for
    a line that is neither blank nor an object, and if the file cannot be read."""
    place = str(path)
    check_readable(path, is_text=True)
    try:
        for number, line in enumerate(read_lines(path), start=1):
            place = f"{path}:{number}"
            if line is None:
                raise Unreadable(SkipReason.LINE_TOO_LONG)
            if (record := parse_object(line)) is not None:
                yield record, place
    except Unreadable as problem:
        raise UserError(f"{place}: {problem}") from None


def sample_of_record(record: dict[str, Any], place: Place, line_id: str, text_field: str = TEXT_FIELD) -> Sample:
    """The sample that a record describes. Removes the fields that it uses from `record`; the others become `extra`. Raises
    `Unreadable` if there is no text."""
    text = record.pop(text_field, None)
    if not isinstance(text, str):
        raise Unreadable(SkipReason.NO_TEXT if text is None else SkipReason.TEXT_NOT_STRING)
    if isinstance(record_id := record.get("id"), int) and not isinstance(record_id, bool):
        record["id"] = str(record_id)
    usable = [name for name in ("title", "domain", "id") if isinstance(record.get(name), str | None)]
    cleaned = {name: clean_line(record.pop(name, None) or "") or None for name in usable}
    title, domain, given_id = map(cleaned.get, ("title", "domain", "id"))
    sample = sample_of(text, title=title, domain=domain, given_id=given_id, place=place, line_id=line_id, extra=record)
    if not sample.text:
        raise Unreadable(SkipReason.EMPTY_TEXT)
    return sample
