"""Where rows are written: `data/SPLIT-00000-of-00003.jsonl` or `.parquet`, in a folder that appears in one step.

A column's kind is "string", "bool", "int64" or "float64"; `[kind]` is a list, `{name: kind}` a struct.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import orjson

from programs.errors import UserError

Kind = str | list[Any] | dict[str, Any]
Columns = dict[str, Kind]
Row = dict[str, Any]

MANIFEST = "export.json"
"""The file by which a folder is known to be an export, which alone is ever replaced."""
BATCH_BYTES = 16 * 2**20
"""About so much JSON is a row group of a Parquet file."""


@dataclass
class Split:
    """What was written of a split."""

    rows: int = 0
    files: list[Path] = field(default_factory=list)


class DataFiles:
    """The files of all splits, in `folder`, which must be new. Rows go to JSONL at once, whatever the memory; Parquet is
    made of that in the end."""

    def __init__(self, folder: Path, columns: Columns, shard_rows: int | None) -> None:
        self.splits: dict[str, Split] = {}
        self._folder, self._columns, self._shard_rows = folder, columns, shard_rows
        self._open: dict[str, IO[bytes]] = {}

    def add(self, name: str, row: Row) -> None:
        """Writes the columns of a row, which has them all, to a split."""
        line = orjson.dumps({column: row[column] for column in self._columns}, option=orjson.OPT_APPEND_NEWLINE)
        split = self.splits.setdefault(name, Split())
        if not split.files or (self._shard_rows and split.rows % self._shard_rows == 0):
            self.close(name)
            split.files.append(self._folder / f"{name}-{len(split.files):05}.jsonl")
            self._open[name] = split.files[-1].open("xb")
        self._open[name].write(line)
        split.rows += 1

    def close(self, name: str) -> None:
        """Closes the file of a split that is being written, if there is one."""
        if name in self._open:
            self._open.pop(name).close()

    def finish(self, kind: Literal["jsonl", "parquet"]) -> dict[str, Split]:
        """Gives the files their kind and their last names: only now is it known how many there are."""
        for name, split in self.splits.items():
            self.close(name)
            files = [path if kind == "jsonl" else _parquet(path, self._columns) for path in split.files]
            split.files = [path.rename(path.with_name(f"{path.stem}-of-{len(files):05}.{kind}")) for path in files]
        return self.splits


def _parquet(path: Path, columns: Columns) -> Path:
    """The same rows in Parquet, instead of those at `path`, at a memory of one row group."""
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema([(name, _arrow(kind)) for name, kind in columns.items()])
    made = path.with_suffix(".parquet")
    with parquet.ParquetWriter(made, schema, compression="zstd") as writer, path.open("rb") as file:
        while lines := file.readlines(BATCH_BYTES):
            writer.write_table(pyarrow.Table.from_pylist(list(map(orjson.loads, lines)), schema=schema))
    path.unlink()
    return made


def _arrow(kind: Kind) -> Any:
    import pyarrow

    if isinstance(kind, dict):
        return pyarrow.struct([(name, _arrow(part)) for name, part in kind.items()])
    return pyarrow.list_(_arrow(kind[0])) if isinstance(kind, list) else pyarrow.type_for_alias(kind)


@contextlib.contextmanager
def new_folder(path: Path, overwrite: bool) -> Iterator[Path]:
    """A folder to write into; when the block ends well it takes its place at `path`, otherwise nothing is left.

    An export that is there is replaced with `overwrite` only, and by a whole one. Raises `UserError` where `path` holds
    something else, or is being written, or cannot be.
    """
    # Only now: it loads half of asyncio.
    from filelock import Timeout

    from programs.files import lock_on

    path = path.absolute()
    workshop = path.with_name(f".{path.name}.exporting")
    draft, replaced = workshop / "draft", workshop / "replaced"
    with contextlib.ExitStack() as held:
        try:
            workshop.mkdir(parents=True, exist_ok=True)
            held.enter_context(lock_on(workshop / ".lock"))
            held.callback(shutil.rmtree, workshop, ignore_errors=True)
            held.callback(_bring_back, replaced, path)
            # One that was killed may have moved the old export away.
            _bring_back(replaced, path)
            for left in (draft, replaced):
                shutil.rmtree(left, ignore_errors=True)
            _check_free(path, overwrite)
            draft.mkdir()
            yield draft
            if path.exists():
                path.rename(replaced)
            draft.rename(path)
        except Timeout:
            raise UserError(f"--output: {path} is being written by another export") from None
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"--output: cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def _bring_back(replaced: Path, path: Path) -> None:
    if replaced.exists() and not path.exists():
        replaced.rename(path)


def _check_free(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / MANIFEST).is_file():
        raise UserError(f"--output: {path} is there and is no export; name another")
    if not overwrite:
        raise UserError(f"--output: {path} holds an export; name another, or replace it with --overwrite")
