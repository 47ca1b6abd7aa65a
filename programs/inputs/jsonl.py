"""Samples of one file of JSON lines."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from programs.inputs.archives import DamagedArchive, TruncatedArchive
from programs.inputs.lines import read_lines
from programs.inputs.parsing import BadLine, parse_object
from programs.inputs.record import TEXT_FIELD, sample_of_record
from programs.inputs.report import DAMAGED_ARCHIVE, LINE_TOO_LONG, TRUNCATED_ARCHIVE
from programs.inputs.sample import Place, Sample, bytes_id
from programs.inputs.taking import Taker

# Files joined with `cat` carry the byte order mark of the second one within; files that a crash left half written
# are filled with NULs.
_PADDING = b" \t\r\0"


def step_jsonl(path: Path, taker: Taker, *, text_field: str = TEXT_FIELD) -> Iterator[Sample | None]:
    """The samples of a file, lazily, in its order, with a None for every line that gives none.

    Every line is accepted or skipped for a reason that the taker's report counts, and none takes another with it. A text
    beyond the taker's limit gives passages. Raises UserError when the file cannot be read at all.
    """
    taker.report.files += 1
    line = 0
    try:
        for raw in read_lines(path):
            line = raw.number
            if raw.data is not None and taker.known(bytes_id(raw.data)):
                yield None
                continue
            place = Place(file=str(path), line=line)
            yield from taker.record(partial(_sample, raw.data, place, text_field), place, torn=raw.torn)
    except TruncatedArchive:
        taker.report.skip(TRUNCATED_ARCHIVE, Place(file=str(path), line=max(line, 1)))
    except DamagedArchive:
        taker.report.skip(DAMAGED_ARCHIVE, Place(file=str(path), line=max(line, 1)))


def _sample(data: bytes | None, place: Place, text_field: str) -> Sample | None:
    """None for a blank line; raises BadLine."""
    if data is None:
        raise BadLine(LINE_TOO_LONG)
    line_id = bytes_id(data)
    data = data.removeprefix(codecs.BOM_UTF8).strip(_PADDING)
    return sample_of_record(parse_object(data), place, line_id, text_field) if data else None
