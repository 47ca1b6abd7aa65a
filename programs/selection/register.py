"""Questions on disk that find those nearly alike, by MinHash bands (`programs.text.near_duplicates`); and the register of
questions, in which one that was asked of another text is found again: `--dedupe-questions`.

The register can always be made again from the journal's `pool` lines: it says how far it has read them, and reads on from
there, as the index does. Two questions ask the same when `programs.text.near_duplicates.similarity` says so, the rule that
holds within a text too; MinHash only finds which ones to compare.
"""

import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from programs.errors import JournalError
from programs.files import open_database
from programs.text.near_duplicates import BANDS, ROWS, SCHEME, SEED, SHARED, bands, similarity

VERSION = "1"

_SCHEMA = """
create table if not exists question (id integer primary key, sample text, type text, text text);
create index if not exists question_sample on question (sample);
"""
_SIGNATURES = f"datasketch {version('datasketch')} {SCHEME} {SEED} {BANDS}x{ROWS}"
"""What stored bands depend on."""

_BANDS = """
create table if not exists meta (name text primary key, value) without rowid;
create table if not exists band (hash integer, item integer, primary key (hash, item)) without rowid;
"""


class Sketches:
    """An open database at `path` of items with the tables of `schema` beside their bands, each known by a number; empty
    unless it was made for the same (`made_for`). Not for several threads. What is not committed is forgotten. Raises
    `JournalError` when it cannot be written."""

    def __init__(self, path: Path, schema: str, made_for: str) -> None:
        try:
            self._database = open_database(path, _BANDS + schema, "made for", f"{_SIGNATURES}; {made_for}")
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
        marks = ",".join("?" * len(of))
        query = f"select item from band where hash in ({marks}) group by item having count(*) >= ? order by item"
        return [row[0] for row in self._database.execute(query, (*of, SHARED))]

    def said(self, name: str) -> str | None:
        """What the database says of itself under a name."""
        row = self._database.execute("select value from meta where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def say(self, name: str, value: str) -> None:
        """Says it, and commits."""
        self._database.execute("insert or replace into meta values (?, ?)", (name, value))
        self._database.commit()


class Twin(NamedTuple):
    """A question that asks the same: whose it is, its words, and how near they are (0-100)."""

    sample: str
    type: str
    text: str
    similarity: float


Entry = tuple[str, str]
"""A question's type and its words."""


class Register(Sketches):
    """An open register at `path`. Invariant: it holds, for each text, the questions of its newest pool line up to the byte
    of the journal that `read_to` names; what was put since `reached` is forgotten, and read from the journal again."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA, VERSION)

    def __enter__(self) -> "Register":
        return self

    def clear(self) -> None:
        """Forgets everything."""
        self._database.execute("delete from question")
        self._database.execute("delete from band")
        self.say("read to", "0 ")

    @property
    def read_to(self) -> tuple[int, str]:
        """Up to which byte the journal is in the register, and a mark of the bytes before it."""
        place, _, mark = (self.said("read to") or "0 ").partition(" ")
        return int(place), mark

    def reached(self, place: int, mark: str) -> None:
        """Says that the journal up to byte `place` is in the register."""
        self.say("read to", f"{place} {mark}")

    def twin(self, text: str, threshold: float, *, apart_from: str) -> Twin | None:
        """The question of another text than `apart_from` that asks the same: at least `threshold` near (75 to 100; the
        lower, the more escape it). Of several the nearest, on a tie the one of the text with the smaller hash, so that no
        order matters."""
        found = []
        for item in self.candidates(text):
            query = "select sample, type, text from question where id = ?"
            sample, kind, other = self._database.execute(query, (item,)).fetchone()
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
            self.forget(had[entry], entry[1])
        for kind, text in entries:
            if (kind, text) not in had:
                values = (sample, kind, text)
                item = self._database.execute("insert into question values (null, ?, ?, ?)", values).lastrowid
                self.sketch(item or 0, text)

    def _entries(self, sample: str) -> dict[Entry, int]:
        rows = self._database.execute("select type, text, id from question where sample = ?", (sample,))
        return {(kind, text): item for kind, text, item in rows}
