"""Samples of one file of JSON lines."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from programs.inputs.archives import DamagedArchive, TruncatedArchive
from programs.inputs.cleaning import clean, clean_line
from programs.inputs.lines import DEFAULT_LINE_LIMIT, RawLine, read_lines
from programs.inputs.parsing import BadLine, parse_object
from programs.inputs.prefilter import prefilter as prefiltered
from programs.inputs.report import (
    DAMAGED_ARCHIVE,
    DUPLICATE,
    EMPTY_TEXT,
    LINE_TOO_LONG,
    NO_TEXT,
    NOTHING_TO_ASK,
    TEXT_NOT_STRING,
    TRUNCATED_ARCHIVE,
    ReadReport,
)
from programs.inputs.sample import DEFAULT_DOMAIN, Place, Sample, bytes_id, content_id, default_title
from programs.inputs.seen import Seen
from programs.inputs.shard import Shard

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
    """The samples of a file, lazily, in its order, each text once.

    Every line is accepted or skipped for a reason counted in `report`, and none takes another with it. `seen` holds
    the ids met in earlier files and receives those of this one. Lines whose id is in `done` are counted and not
    looked at; texts that are not of `shard` are counted and not taken. `prefilter` leaves out of the texts what
    `programs.inputs.prefilter` names, and those of which nothing is left. `line_limit` is in bytes.
    Raises UserError when the file cannot be read at all.
    """
    steps = step_jsonl(path, report, seen=seen, done=done, shard=shard, prefilter=prefilter, line_limit=line_limit)
    return (sample for sample in steps if sample is not None)


def step_jsonl(
    path: Path,
    report: ReadReport,
    *,
    seen: Seen | None = None,
    done: Container[str] = frozenset(),
    shard: Shard | None = None,
    prefilter: bool = False,
    line_limit: int = DEFAULT_LINE_LIMIT,
) -> Iterator[Sample | None]:
    """As `read_jsonl`, with a None for every line that gives no sample."""
    seen = seen if seen is not None else Seen()
    report.files += 1
    line = 0
    try:
        for raw in read_lines(path, line_limit):
            line = raw.number
            if raw.data is not None and bytes_id(raw.data) in done:
                report.lines += 1
                report.done += 1
                yield None
            else:
                yield _accept(raw, Place(file=str(path), line=line), report, seen, shard, prefilter)
    except TruncatedArchive:
        report.skip(TRUNCATED_ARCHIVE, Place(file=str(path), line=max(line, 1)))
    except DamagedArchive:
        report.skip(DAMAGED_ARCHIVE, Place(file=str(path), line=max(line, 1)))


def _accept(
    raw: RawLine, place: Place, report: ReadReport, seen: Seen, shard: Shard | None, prefilter: bool
) -> Sample | None:
    try:
        sample = _sample(raw.data, place)
        filtered = _prefiltered(sample) if sample is not None and prefilter else None
        # A text of which nothing is left is of the shard of the whole.
        sample = filtered or sample
        if sample is not None and shard is not None and not shard.holds(sample.id):
            report.lines += 1
            report.other_shards += 1
            return None
        if sample is not None and prefilter and filtered is None:
            raise BadLine(f"{NOTHING_TO_ASK}{prefiltered(sample.text).why_nothing}")
        if sample is not None and not seen.add(int(sample.id, 16)):
            raise BadLine(DUPLICATE)
    except BadLine as problem:
        # Half a line is no line: the damage to its archive is counted, and that is all there is to say.
        if not raw.torn:
            report.lines += 1
            report.skip(str(problem), place)
        return None
    report.lines += 1
    if sample is None:
        report.blank += 1
    else:
        report.samples += 1
        report.trim(sample.removed)
    return sample


def _prefiltered(sample: Sample) -> Sample | None:
    """The sample without what there is nothing to ask about, or None when too little is left."""
    found = prefiltered(sample.text)
    if found.why_nothing is not None:
        return None
    return sample.model_copy(update={"id": content_id(found.text), "text": found.text, "removed": found.removed})


def _sample(data: bytes | None, place: Place) -> Sample | None:
    """None for a blank line; raises BadLine."""
    if data is None:
        raise BadLine(LINE_TOO_LONG)
    line_id = bytes_id(data)
    data = data.removeprefix(_BOM).strip(_PADDING)
    if not data:
        return None
    record = parse_object(data)
    text = _text(record)
    title = _label(record, "title")
    domain = _label(record, "domain")
    return Sample(
        id=content_id(text),
        given_id=_given_id(record),
        title=title or default_title(place.line),
        title_given=title is not None,
        domain=domain or DEFAULT_DOMAIN,
        domain_given=domain is not None,
        text=text,
        place=place,
        cut_from=None,
        line_id=line_id,
        extra=record,
    )


def _text(record: dict[str, Any]) -> str:
    text = record.pop("text", None)
    if text is None:
        raise BadLine(NO_TEXT)
    if not isinstance(text, str):
        raise BadLine(TEXT_NOT_STRING)
    text = clean(text)
    if not text:
        raise BadLine(EMPTY_TEXT)
    return text


def _label(record: dict[str, Any], key: str) -> str | None:
    """Takes the field out of the record if it can be used; what cannot be stays there, unless it is null or blank."""
    value = record.get(key)
    label = clean_line(value) if isinstance(value, str) else ""
    if value is None or isinstance(value, str):
        record.pop(key, None)
    return label or None


def _given_id(record: dict[str, Any]) -> str | None:
    value = record.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        record["id"] = str(value)
    return _label(record, "id")
