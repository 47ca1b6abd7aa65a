"""Rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from programs.inputs.formats.paper import DAMAGED, Unreadable

BATCH = 64
"""Rows that are held at once, beside what the file packs together."""


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows, lazily, in their order. Raises `Unreadable` where the file is damaged, after the rows before that."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=BATCH):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(DAMAGED) from error
