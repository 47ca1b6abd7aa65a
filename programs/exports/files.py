"""The data files of an export, `data/SPLIT-00000-of-00003.jsonl` or `.parquet`, written row by row.

Memory: one batch of rows a split. How many shards a split has is known at the end, so files get their names then.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from programs.exports.columns import Columns, arrow_schema
from programs.exports.format import Row

Kind = Literal["jsonl", "parquet"]

BATCH_ROWS = 1000
BATCH_BYTES = 16 * 2**20
"""A row group of a Parquet file ends at either."""


class JsonLines:
    """A JSONL file in UTF-8."""

    def __init__(self, path: Path, _: Columns) -> None:
        self._file = path.open("xb")

    def write(self, _: Row, line: bytes) -> None:
        """Writes a row; `line` is the row as JSON."""
        self._file.write(line + b"\n")

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


class Parquet:
    """A Parquet file, compressed with zstd."""

    def __init__(self, path: Path, columns: Columns) -> None:
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(path, arrow_schema(columns), compression="zstd")
        self._rows: list[Row] = []
        self._bytes = 0

    def write(self, row: Row, line: bytes) -> None:
        """Writes a row; `line` is the row as JSON."""
        self._rows.append(row)
        self._bytes += len(line)
        if len(self._rows) >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow

        if self._rows:
            self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=self._writer.schema))
        self._rows, self._bytes = [], 0


@dataclass
class SplitSize:
    """How large a split is: `bytes` are those of its rows as JSON, `file_bytes` those of its files."""

    rows: int = 0
    bytes: int = 0
    file_bytes: int = 0
    files: list[Path] = field(default_factory=list)


class DataFiles:
    """The files of all splits, in `folder`, which must be new. Used as a context: however it ends, files are closed."""

    def __init__(self, folder: Path, columns: Columns, kind: Kind, shard_rows: int | None) -> None:
        self.sizes: dict[str, SplitSize] = {}
        self._folder, self._columns, self._kind = folder, columns, kind
        self._shard_rows = shard_rows
        self._open: dict[str, JsonLines | Parquet] = {}

    def __enter__(self) -> "DataFiles":
        return self

    def __exit__(self, *_: Any) -> None:
        for shard in self._open.values():
            shard.close()
        self._open.clear()

    def add(self, split: str, row: Row) -> None:
        """Writes the columns of a row, which has them all."""
        row = {name: row[name] for name in self._columns}
        line = orjson.dumps(row)
        size = self.sizes.setdefault(split, SplitSize())
        if self._shard_rows and size.rows and size.rows % self._shard_rows == 0:
            self._open.pop(split).close()
        if split not in self._open:
            path = self._folder / f"{split}-{len(size.files):05}.{self._kind}"
            self._open[split] = (JsonLines if self._kind == "jsonl" else Parquet)(path, self._columns)
            size.files.append(path)
        self._open[split].write(row, line)
        size.rows += 1
        size.bytes += len(line)

    def finish(self) -> dict[str, SplitSize]:
        """Closes the files and gives them their last names."""
        self.__exit__()
        for split, size in self.sizes.items():
            count = len(size.files)
            names = [f"{split}-{number:05}-of-{count:05}.{self._kind}" for number in range(count)]
            size.files = [path.rename(path.with_name(name)) for path, name in zip(size.files, names, strict=True)]
            size.file_bytes = sum(path.stat().st_size for path in size.files)
        return self.sizes
