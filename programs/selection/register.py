"""The register of questions: every question that a journal's texts may use, on disk, so that one that was asked of another
text is found again: `--dedupe-questions`.

It can always be made again from the journal's `pool` lines: it says how far it has read them, and reads on from there, as
the index does. Two questions ask the same when `programs.text.near_duplicates.similarity` says so, the rule that holds
within a text too; MinHash only finds which ones to compare.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from programs.errors import JournalError
from programs.files import open_database
from programs.text.near_duplicates import BANDS, ROWS, SCHEME, SEED, SHARED, bands, similarity

VERSION = "1"

SKETCHES = """
create table if not exists meta (name text primary key, value) without rowid;
create table if not exists band (hash integer, item integer, primary key (hash, item)) without rowid;
"""

_SCHEMA = f"""
{SKETCHES}
create table if not exists question (id integer primary key, sample text, type text, text text);
create index if not exists question_sample on question (sample);
"""


class Twin(NamedTuple):
    """A question that asks the same: whose it is, its words, and how near they are (0-100)."""

    sample: str
    type: str
    text: str
    similarity: float


Entry = tuple[str, str]
"""A question's type and its words."""


class Register:
    """An open register at `path`. Not for several threads. Invariant: it holds, for each text, the questions of its newest
    pool line up to the byte of the journal that `read_to` names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = open_sketches(path, _SCHEMA, VERSION)
        self._sketches = Sketches(self._database)

    def __enter__(self) -> "Register":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """What was put since `reached` is forgotten: it is read from the journal again."""
        self._database.close()

    def clear(self) -> None:
        """Forgets everything."""
        for table in ("question", "band"):
            self._database.execute(f"drop table {table}")
        self._database.execute("delete from meta where name = 'read to'")
        self._database.executescript(_SCHEMA)

    @property
    def read_to(self) -> tuple[int, str]:
        """Up to which byte the journal is in the register, and a mark of the bytes before it."""
        place, _, mark = (self._sketches.get("read to") or "0 ").partition(" ")
        return int(place), mark

    def twin(self, text: str, threshold: float, *, apart_from: str) -> Twin | None:
        """The question of another text than `apart_from` that asks the same: at least `threshold` near (75 to 100; the
        lower, the more escape it). Of several the nearest, on a tie the one of the text with the smaller hash, so that no
        order matters."""
        found = []
        for item in self._sketches.candidates(text):
            sample, kind, other = self._question(item)
            if sample != apart_from and (near := similarity(other, text)) >= threshold:
                found.append(Twin(sample, kind, other, near))
        return min(found, key=lambda twin: (-twin.similarity, twin.sample, twin.type), default=None)

    def holds(self, sample: str, entry: Entry) -> bool:
        """Whether a text's question is registered."""
        return entry in self._entries(sample)

    def put(self, sample: str, entries: Sequence[Entry]) -> None:
        """Registers a text's questions, in place of those that it had."""
        had = self._entries(sample)
        for entry in had.keys() - set(entries):
            self._database.execute("delete from question where id = ?", (had[entry],))
            self._sketches.remove(had[entry], bands(entry[1]))
        for kind, text in entries:
            if (kind, text) not in had:
                values = (sample, kind, text)
                item = self._database.execute("insert into question values (null, ?, ?, ?)", values).lastrowid
                self._sketches.add(item or 0, bands(text))

    def reached(self, place: int, mark: str) -> None:
        """Says that the journal up to byte `place` is in the register."""
        self._sketches.put("read to", f"{place} {mark}")
        self._database.commit()

    def _entries(self, sample: str) -> dict[Entry, int]:
        rows = self._database.execute("select type, text, id from question where sample = ?", (sample,))
        return {(kind, text): item for kind, text, item in rows}

    def _question(self, item: int) -> tuple[str, str, str]:
        row = self._database.execute("select sample, type, text from question where id = ?", (item,)).fetchone()
        return row[0], row[1], row[2]


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
