"""Invariants of the journal's index (numbered with those in tests/run/test_journal.py).

5. A rebuilt index (one that was deleted, damaged, of another version, ahead of or behind the journal) equals the kept one.
9. A failing index loses nothing: at the next opening, the lines it may lack are read from the journal.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from programs.errors import StorageError
from programs.run import journal as journal_module
from programs.run.index import Index
from programs.run.journal import Journal
from tests.run.test_journal import fill_journal, index_path, read_everything


def execute(statements: str) -> Callable[[Path], None]:
    def execute_in(index: Path) -> None:
        with sqlite3.connect(index) as database:
            database.executescript(statements)

    return execute_in


DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "no database": lambda index: index.write_bytes(b"this is no database, " * 400),
    "cut at a page": lambda index: os.truncate(index, 4096 * 3),
    "cut inside a page": lambda index: os.truncate(index, index.stat().st_size - 50),
    "other version": execute("update meta set value = '0' where name = 'version'"),
    "no meta": execute("delete from meta"),
    "ahead": execute(
        "update meta set value = value + 1 where name = 'read_to';"
        "update line set at = at + 7; update spent set calls = calls + 7"
    ),
}


@pytest.mark.parametrize("how", ["behind", "of a journal that lost its end", *DAMAGES])
def test_a_rebuilt_index_equals_the_one_that_was_kept(path: Path, how: str) -> None:
    with Journal(path) as journal:
        fill_journal(journal, 40)
    behind = index_path(path).read_bytes()
    with Journal(path) as journal:
        fill_journal(journal, 10, start=5)
        expected = read_everything(journal)
    size = path.stat().st_size
    if how == "behind":
        index_path(path).write_bytes(behind)
    elif how == "of a journal that lost its end":
        with Journal(path) as journal:
            fill_journal(journal, 2, start=50)
        os.truncate(path, size)
    else:
        DAMAGES[how](index_path(path))
    for _ in range(2):
        with Journal(path) as journal:
            assert read_everything(journal) == expected


@pytest.mark.parametrize("method", ["add", "commit"])
def test_an_index_that_fails_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(journal_module, "FLUSH_SECONDS", 0.001 if method == "commit" else 60.0)
    with Journal(path) as journal:
        journal.append("pool", "a", questions=[])
        journal.flush()
        with monkeypatch.context() as patch:
            patch.setattr(Index, method, full)
            if method == "commit":
                journal.append("pool", "b", questions=[])
                journal._flusher.join(30)
            with pytest.raises(StorageError, match="disk is full"):
                journal.append("pool", "c", questions=[])
        journal.index._database.rollback()  # as SQLite does itself when it runs out of space
        with pytest.raises(StorageError, match="disk is full"):
            journal.append("pool", "d", questions=[])
    with Journal(path) as journal:
        assert journal.torn_bytes == 0
        assert journal.latest("pool", "a") is not None
        assert (journal.latest("pool", "b") is not None) == (method == "commit")
        assert journal.latest("pool", "c") is None


def test_a_line_that_another_process_changed_is_an_error(path: Path) -> None:
    with Journal(path) as journal:
        fill_journal(journal, 40)
    whole = path.read_bytes()
    damaged = whole.replace(b'{"kind":"pool"', b'\0"kind":"pool"', 1)
    path.write_bytes(damaged)
    with Journal(path) as journal, pytest.raises(StorageError, match="another process changed one"):
        journal.latest("pool", "0")
    assert path.read_bytes() == damaged
    path.write_bytes(whole)
    with Journal(path) as journal:
        journal.index._database.executescript("drop table line")
        with pytest.raises(StorageError, match=r"cannot be read.* Delete it"):
            journal.latest("pool", "0")
