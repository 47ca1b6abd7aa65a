"""Bands of MinHash signatures in a SQLite file: which of many texts may be near a given one, in flat memory.

A file of another version, of other inputs, or a damaged one is made anew (`programs.files`).
"""

import sqlite3
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from programs.checks.minhash import BANDS, ROWS, SCHEME, SEED, SHARED, bands
from programs.errors import JournalError
from programs.files import open_database

SKETCHES = """
create table if not exists meta (name text primary key, value) without rowid;
create table if not exists band (hash integer, item integer, primary key (hash, item)) without rowid;
"""

SIGNATURES = f"datasketch {version('datasketch')} {SCHEME} {SEED} {BANDS}x{ROWS}"
"""What stored bands depend on."""


class Sketches:
    """The bands of items, each known by a number, in an open database; a small `meta` table beside them."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, item: int, of: Iterable[int]) -> None:
        """Takes an item's bands."""
        self._database.executemany("insert or ignore into band values (?, ?)", [(band, item) for band in of])

    def remove(self, item: int, of: Iterable[int]) -> None:
        """Forgets an item's bands."""
        self._database.executemany("delete from band where hash = ? and item = ?", [(band, item) for band in of])

    def candidates(self, text: str) -> list[int]:
        """The items that share SHARED bands or more with a text, in order."""
        of = bands(text)
        query = f"select item from band where hash in ({','.join('?' * len(of))}) group by item having count(*) >= ?"
        return sorted(row[0] for row in self._database.execute(query, (*of, SHARED)))

    def get(self, name: str) -> str | None:
        row = self._database.execute("select value from meta where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, name: str, value: str) -> None:
        self._database.execute("insert or replace into meta values (?, ?)", (name, value))


def open_sketches(path: Path, schema: str, made_for: str) -> sqlite3.Connection:
    """The database at `path`, empty unless it was made for the same: `made_for` and SIGNATURES. Raises `JournalError` when
    it cannot be written."""
    try:
        return open_database(path, schema, "made for", f"{SIGNATURES}; {made_for}")
    except (OSError, sqlite3.Error) as error:
        raise JournalError(f"cannot write {path}: {error}") from error
