"""The folder of an export: made beside its place under a hidden name, and put there in one step when it is whole."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from filelock import Timeout

from programs.errors import UserError
from programs.files import lock_on

MANIFEST = "export.json"
"""The file by which a folder is known to be an export, which alone is ever replaced."""
LOCK = ".lock"


@contextlib.contextmanager
def new_folder(path: Path, overwrite: bool) -> Iterator[Path]:
    """A folder to write into; when the block ends well it takes its place at `path`, otherwise nothing is left.

    An export that is there is replaced with `overwrite` only, and by a whole one. Raises `UserError` where `path` holds
    something else, or is being written, or cannot be.
    """
    path = path.absolute()
    draft, replaced = path.with_name(f".{path.name}.exporting"), path.with_name(f".{path.name}.replaced")
    with contextlib.ExitStack() as held:
        try:
            draft.mkdir(parents=True, exist_ok=True)
            held.enter_context(lock_on(draft / LOCK))
            held.callback(shutil.rmtree, draft, ignore_errors=True)
            _clear(draft)
            # An export that was killed while it took an old one's place: the old one is brought back.
            if replaced.exists() and not path.exists():
                replaced.rename(path)
            _check_free(path, overwrite)
        except Timeout:
            raise UserError(f"--output: {path} is being written by another export") from None
        except OSError as error:
            raise UserError(f"--output: cannot write {path}: {error.strerror}") from None
        try:
            yield draft
            (draft / LOCK).unlink()
            if path.exists():
                shutil.rmtree(replaced, ignore_errors=True)
                path.rename(replaced)
            draft.rename(path)
            shutil.rmtree(replaced, ignore_errors=True)
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"--output: cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def _clear(draft: Path) -> None:
    """Removes what an export that was killed left: nothing of it counts."""
    for path in draft.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _check_free(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / MANIFEST).is_file():
        raise UserError(f"--output: {path} is there and is no export; name another")
    if not overwrite:
        raise UserError(f"--output: {path} holds an export; name another, or replace it with --overwrite")
