"""Samples of one file of JSON lines."""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import partial
from pathlib import Path

from programs.inputs.archives import DamagedArchive, TruncatedArchive
from programs.inputs.lines import DEFAULT_LINE_LIMIT, read_lines
from programs.inputs.parsing import BadLine, parse_object
from programs.inputs.record import TEXT_FIELD, sample_of_record
from programs.inputs.report import DAMAGED_ARCHIVE, LINE_TOO_LONG, TRUNCATED_ARCHIVE, ReadReport
from programs.inputs.sample import Place, Sample, bytes_id
from programs.inputs.seen import Seen
from programs.inputs.shard import Shard
from programs.inputs.taking import Taker

# Files joined with `cat` carry the byte order mark of the second one within; files that a crash left half written
# are filled with NULs.
_BOM = b"\xef\xbb\xbf"
_PADDING = b" \t\r\0"


def read_jsonl(
    path: Path,
    report: ReadReport,
    *,
    seen: Seen | None = None,
    done: Container[str] = frozenset(),
    shard: Shard | None = None,
    prefilter: bool = False,
    line_limit: int = DEFAULT_LINE_LIMIT,
) -> Iterator[Sample]:
    """The samples of a file, lazily, in its order, each text once and whole.

    Every line is accepted or skipped for a reason counted in `report`, and none takes another with it. `seen` holds
    the ids met in earlier files and receives those of this one. Lines whose id is in `done` are counted and not
    looked at; texts that are not of `shard` are counted and not taken. `prefilter` leaves out of the texts what
    `programs.inputs.prefilter` names, and those of which nothing is left. `line_limit` is in bytes.
    Raises UserError when the file cannot be read at all.
    """
    taker = Taker(report, seen=seen, done=done, shard=shard, prefilter=prefilter)
    return (sample for sample in step_jsonl(path, taker, line_limit=line_limit) if sample is not None)


def step_jsonl(
    path: Path, taker: Taker, *, text_field: str = TEXT_FIELD, line_limit: int = DEFAULT_LINE_LIMIT
) -> Iterator[Sample | None]:
    """As `read_jsonl`, with a None for every line that gives no sample. A text beyond the taker's limit gives passages."""
    taker.report.files += 1
    line = 0
    try:
        for raw in read_lines(path, line_limit):
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
    data = data.removeprefix(_BOM).strip(_PADDING)
    return sample_of_record(parse_object(data), place, line_id, text_field) if data else None
