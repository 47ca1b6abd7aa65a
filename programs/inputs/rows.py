"""Samples of the rows of a table: a Parquet file, a data set of the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import orjson

from programs.inputs.formats.fields import portable
from programs.inputs.formats.paper import Unreadable
from programs.inputs.record import TEXT_FIELD, sample_of_record
from programs.inputs.sample import Place, Sample, bytes_id
from programs.inputs.sample_filter import SampleFilter


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
