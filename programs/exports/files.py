"""Where rows are written: `data/SPLIT.jsonl`, in a folder that appears in one step."""

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jsonlines
import orjson

from programs.errors import UserError
from programs.exports.view import Columns, Row

MANIFEST = "export.json"
"""The file by which a folder is known to be an export, which alone is ever replaced."""


class DataFiles(contextlib.ExitStack):
    """The files of all splits, in a new `folder`. They are whole at the end of the block."""

    def __init__(self, folder: Path, columns: Columns) -> None:
        super().__init__()
        folder.mkdir()
        self._folder, self._columns = folder, columns
        self._open: dict[str, jsonlines.Writer] = {}

    def add(self, split: str, row: Row) -> None:
        """Writes the columns of a row, which has them all, to a split."""
        if split not in self._open:
            file = jsonlines.open(self._folder / f"{split}.jsonl", "x", dumps=orjson.dumps)
            self._open[split] = self.enter_context(file)
        self._open[split].write({column: row[column] for column in self._columns})


@contextlib.contextmanager
def new_folder(path: Path, overwrite: bool) -> Iterator[Path]:
    """A folder to write into; when the block ends well it takes its place at `path`, otherwise nothing is left.

    An export that is there is replaced with `overwrite` only, and by a whole one; killed between the two renames, the old
    one lies beside it. Raises `UserError` where `path` holds something else, or cannot be written.
    """
    path = path.absolute()
    _check_free(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True) as made:
            draft, replaced = Path(made) / "draft", Path(made) / "replaced"
            draft.mkdir()
            yield draft
            _check_free(path, overwrite)
            try:
                if path.exists():
                    path.rename(replaced)
                draft.rename(path)
            except BaseException:
                if replaced.exists() and not path.exists():
                    replaced.rename(path)
                raise
    except (OSError, sqlite3.Error) as error:
        raise UserError(f"--output: cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def _check_free(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / MANIFEST).is_file():
        raise UserError(f"--output: {path} is there and is no export; name another")
    if not overwrite:
        raise UserError(f"--output: {path} holds an export; name another, or replace it with --overwrite")
