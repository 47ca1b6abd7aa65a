"""A database of questions that finds those nearly alike, by MinHash bands (`programs.text.near_duplicates`)."""

import sqlite3
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

from programs.errors import JournalError
from programs.files import open_database
from programs.text.near_duplicates import BANDS, ROWS, SCHEME, SEED, SHARED, bands

_SIGNATURES = f"datasketch {version('datasketch')} {SCHEME} {SEED} {BANDS}x{ROWS}"
"""What stored bands depend on."""

_SCHEMA = """
create table if not exists meta (name text primary key, value) without rowid;
create table if not exists band (hash integer, item integer, primary key (hash, item)) without rowid;
"""


class Sketches:
    """An open database at `path` of items with the tables of `schema` beside their bands, each known by a number; empty
    unless it was made for the same (`made_for`). Not for several threads. What is not committed is forgotten. Raises
    `JournalError` when it cannot be written."""

    def __init__(self, path: Path, schema: str, made_for: str) -> None:
        try:
            self._database = open_database(path, _SCHEMA + schema, "made for", f"{_SIGNATURES}; {made_for}")
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"cannot write {path}: {error}") from error

    def __enter__(self) -> "Sketches":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    def sketch(self, item: int, text: str) -> None:
        """Takes an item's bands."""
        rows = ((band, item) for band in bands(text))
        self._database.executemany("insert or ignore into band values (?, ?)", rows)

    def forget(self, item: int, text: str) -> None:
        """Forgets an item's bands."""
        self._database.executemany("delete from band where hash = ? and item = ?", ((b, item) for b in bands(text)))

    def candidates(self, text: str) -> list[int]:
        """The items that share SHARED bands or more with a text, in order."""
        of = bands(text)
        query = f"select item from band where hash in ({_marks(of)}) group by item having count(*) >= ? order by item"
        return [row[0] for row in self._database.execute(query, (*of, SHARED))]

    def said(self, name: str) -> str | None:
        """What the database says of itself under a name."""
        row = self._database.execute("select value from meta where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def say(self, name: str, value: str) -> None:
        """Says it, and commits."""
        self._database.execute("insert or replace into meta values (?, ?)", (name, value))
        self._database.commit()


def _marks(values: Iterable[object]) -> str:
    return ",".join("?" for _ in values)
