"""`python -m programs.restore FOLDER --output OUTPUT`: makes the document again from a `master` export.

The splits are woven together again by `position`, so the traces stand in their old order. Memory: a batch of rows a split.
"""

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel, Field

from programs.cli.options import parse, run_cli
from programs.clock import stamp
from programs.document import stream
from programs.errors import UserError
from programs.exports.folder import MANIFEST
from programs.exports.master import MASTER, POSITION, record_of
from programs.files.in_place import in_place
from programs.records import FORMAT_VERSION, DocumentMetadata

BATCH = 256
"""Rows of a Parquet file that are read at once."""


def restore(folder: Path, output: Path, overwrite: bool = False) -> int:
    """Writes the document that a `master` export was made from, less what the export left out. Returns the number of its
    traces.

    Each record is the same as before, by `programs.records`. Raises `UserError` for a folder that is no such export or is
    damaged, and for an output that is there, unless `overwrite`.
    """
    manifest = _manifest(folder)
    if output.is_dir() or (output.exists() and not overwrite):
        raise UserError(f"--output: {output} is there already; name another, or --overwrite")
    splits = manifest["splits"].values()
    count: int = sum(split["rows"] for split in splits)
    said = manifest.get("metadata") or {}
    metadata = DocumentMetadata.model_validate(
        {
            "generation_timestamp": stamp(),
            "status": "completed",
            "format_version": FORMAT_VERSION,
            **said,
            "total_traces_generated": count,
        }
    )
    files = [[folder / "data" / name for name in split["files"]] for split in splits]
    rows = heapq.merge(*(chain.from_iterable(map(_rows, paths)) for paths in files), key=lambda row: row[POSITION])
    try:
        with in_place(output) as file:
            stream(file, metadata, _records(rows, count))
    except (ValueError, KeyError) as error:
        raise UserError(f"{folder} is damaged: {' '.join(str(error).split())[:200]}") from None
    return count


def _records(rows: Iterable[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    found = 0
    for row in rows:
        yield record_of(row).written()
        found += 1
    if found != count:
        raise ValueError(f"it holds {found} traces instead of {count}")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = orjson.loads((folder / MANIFEST).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        found = None
    if not isinstance(found, dict) or found.get("format") != MASTER.name:
        raise UserError(f"{folder} is no export --to {MASTER.name}")
    return found


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        yield from (_lines if path.suffix == ".jsonl" else _batches)(path)
    except OSError as error:
        raise ValueError(f"{path.name}: {error.strerror or error}") from None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        yield from map(orjson.loads, lines)


def _batches(path: Path) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise UserError("Parquet needs pyarrow: pip install 'synthreasoner[export]'") from None
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            yield from batch.to_pylist()


class RestoreOptions(BaseModel):
    """Options of `python -m programs.restore`."""

    leading: ClassVar[str] = "folder"

    folder: Path = Field(description="the folder of a master export")
    output: Path = Field(description="the document to write")
    overwrite: bool = Field(False, description="replace the document that is there")


def main(arguments: list[str] | None = None) -> int:
    """Writes the document and says how many traces it holds."""
    options = parse(
        RestoreOptions,
        "python -m programs.restore",
        "Make the document again from a master export.",
        arguments,
    )
    count = restore(options.folder, options.output, options.overwrite)
    print(f"{options.output}: {count} traces")
    return 0


if __name__ == "__main__":
    run_cli(main)
