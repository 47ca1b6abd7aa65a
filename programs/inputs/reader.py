"""Samples of a whole input: many files, each text once, none too long."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from programs.inputs.cutting import Cutting
from programs.inputs.documents import step_document
from programs.inputs.formats import hub, parquet
from programs.inputs.formats.fields import portable
from programs.inputs.formats.hub import HubName
from programs.inputs.formats.paper import Unreadable
from programs.inputs.formats.process import ReaderProcess
from programs.inputs.jsonl import step_jsonl
from programs.inputs.record import TEXT_FIELD, sample_of_record
from programs.inputs.report import OUR_OWN, UNKNOWN_KIND, ReadReport
from programs.inputs.sample import Place, Sample, bytes_id
from programs.inputs.sample_filter import SampleFilter
from programs.inputs.shard import Shard
from programs.inputs.sources import Source, sources
from programs.text.sentences import cut_at_sentence


def read_samples(
    patterns: Sequence[str],
    *,
    max_chars: int | None,
    report: ReadReport,
    done: Container[str] = frozenset(),
    shard: Shard | None = None,
    prefilter: bool = False,
    cutting: Cutting = Cutting(),  # noqa: B008
    text_field: str = TEXT_FIELD,
) -> Iterator[Sample]:
    """The samples of all inputs that the patterns mean, lazily, each text once over the whole input.

    Papers, and the texts of tables, are cut into passages as `cutting` says, none longer than `max_chars` characters (None:
    no limit); a JSON line's text only where `cutting` names a limit. A text that is longer than `max_chars` all the same is
    cut at the end of a sentence; its id stays that of the uncut text. Lines, and documents of which all passages are in
    `done` by their `line_id`, are passed over unread; texts that are not of `shard` (None: all are) are passed over.
    `prefilter` leaves out what there is nothing to ask about. `text_field` names the text of JSON lines and tables.
    `report` counts while samples are drawn.
    Memory: one line or document, and 16 to 32 bytes a sample to know duplicates by (17 MB for 1,000,000).
    Raises UserError at once, not at the first sample, for files that are missing or cannot be read.
    """
    steps = step_samples(
        patterns,
        max_chars=max_chars,
        report=report,
        done=done,
        shard=shard,
        prefilter=prefilter,
        cutting=cutting,
        text_field=text_field,
    )
    return (sample for sample in steps if sample is not None)


def step_samples(
    patterns: Sequence[str],
    *,
    max_chars: int | None,
    report: ReadReport,
    done: Container[str] = frozenset(),
    shard: Shard | None = None,
    prefilter: bool = False,
    cutting: Cutting = Cutting(),  # noqa: B008
    text_field: str = TEXT_FIELD,
) -> Iterator[Sample | None]:
    """As `read_samples`, with a None for every line that gives no sample, and many while a document is being read: between
    two samples there may be millions of lines, during which a reader can look up."""
    sample_filter = SampleFilter(report, done=done, shard=shard, prefilter=prefilter, overlap=cutting.overlap)
    return _read(sources(patterns), sample_filter, cutting, max_chars, text_field)


def _read(
    inputs: Sequence[Source], sample_filter: SampleFilter, cutting: Cutting, max_chars: int | None, text_field: str
) -> Iterator[Sample | None]:
    with ReaderProcess() as process:
        for source in inputs:
            for sample in _steps(source, sample_filter, cutting, max_chars, text_field, process):
                if sample is not None and max_chars is not None and len(sample.text) > max_chars:
                    sample_filter.report.cut += 1
                    yield _cut(sample, max_chars)
                else:
                    yield sample


def _steps(
    source: Source,
    sample_filter: SampleFilter,
    cutting: Cutting,
    max_chars: int | None,
    text_field: str,
    process: ReaderProcess,
) -> Iterator[Sample | None]:
    """What one input gives."""
    name, limit = source.name, cutting.limit(max_chars)
    cutter = sample_filter.with_limit(limit)
    if isinstance(name, HubName):
        return step_rows(str(name), hub.rows(name), cutter, text_field=text_field)
    if source.kind == "parquet":
        return step_rows(str(name), parquet.rows(name), cutter, text_field=text_field)
    if source.kind == "document":
        return step_document(name, cutter, process)
    if source.kind == "lines":
        return step_jsonl(name, cutter if cutting.tokens else sample_filter, text_field=text_field)
    return _left(name, OUR_OWN if source.kind == "own" else UNKNOWN_KIND, sample_filter)


def _left(path: Path, reason: str, sample_filter: SampleFilter) -> Iterator[None]:
    sample_filter.skip(reason, Place(file=str(path), line=1))
    yield None


def _cut(sample: Sample, max_chars: int) -> Sample:
    text = cut_at_sentence(sample.text, max_chars)
    return sample.model_copy(update={"text": text, "cut_from": len(sample.text)})


def step_rows(
    name: str, rows: Iterable[Mapping[str, Any]], sample_filter: SampleFilter, *, text_field: str = TEXT_FIELD
) -> Iterator[Sample | None]:
    """What each row gives, as a line of JSON would; its place is its number. A table that cannot be read on is counted
    where that happened (`Unreadable`)."""
    sample_filter.report.files += 1
    number = 0
    try:
        for number, row in enumerate(rows, start=1):
            record = portable(row)
            line_id = bytes_id(orjson.dumps(record, option=orjson.OPT_SORT_KEYS))
            if sample_filter.known(line_id):
                yield None
                continue
            place = Place(file=name, line=number)
            yield from sample_filter.record(partial(sample_of_record, record, place, line_id, text_field), place)
    except Unreadable as problem:
        sample_filter.skip(str(problem), Place(file=name, line=number + 1))
