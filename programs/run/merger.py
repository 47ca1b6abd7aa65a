"""Several journals poured into one, one line after another.

Journals of shards share no text, and every line of theirs is taken. Where two sources know the same text, as a copy that
was carried on does, or shards of different N:

- a paid reply (`stage`, `failed`) counts once, however many sources hold a copy of it (the same words for the same
  stage, in as many tokens and milliseconds);
- of different replies to one stage, the one of the source named first answers. The other is kept as a `failed` line, and
  so is what its source built on it: a later run must not weave one source's question with another's thought;
- of a unit's different outcomes an accepted one stands, of two accepted ones that of the source named first;
- a text that the sources left otherwise is left open, so that a later run looks at it again.

Memory does not grow with the journals: what was met is noted in a SQLite file.
"""

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from programs.run.journal import Journal

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
create table met (line blob primary key, source integer, here integer, kept integer) without rowid;
create table strayed (text text primary key) without rowid;
create table open (text text primary key) without rowid;
"""


@dataclass
class Tally:
    """What the sources had in common. `copies` are replies that more than one source held; `same_units` stood in several
    sources with the same outcome; of `unlike_traces`, accepted ones that differed, `first_unlike` names one."""

    copies: int = 0
    replies_apart: int = 0
    same_units: int = 0
    unlike_traces: int = 0
    first_unlike: str | None = None


class Merger:
    """Pours journals into `journal`, which must be new; `notes` is a file of its own, which must be new too."""

    def __init__(self, journal: Journal, notes: Path) -> None:
        self.tally = Tally()
        self._into = journal
        self._source = 0
        self._notes = sqlite3.connect(notes)
        self._notes.executescript(_SCHEMA)

    def __enter__(self) -> "Merger":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._notes.close()

    def take(self, source: Journal) -> None:
        """Takes all of a source. Raises `JournalError` when it is damaged or the new journal cannot be written, and
        `sqlite3.Error` when the notes cannot."""
        self._source += 1
        self._notes.execute("delete from strayed")
        # Only how a unit and a text ended: of what they were before, the replies tell everything.
        for line in source.units():
            self._unit(line)
        for at, length, line in source.lines():
            kind = line["kind"]
            if kind in ("stage", "failed"):
                self._reply(line, answers=kind == "stage" and source.index.place(kind, line["key"]) == (at, length))
            elif kind == "pool":
                if source.index.place(kind, line["key"]) == (at, length):
                    self._pool(line)
            elif kind == "sample":
                if source.index.sample(line["key"]) == _state(line):
                    self._sample(line)
            elif kind != "unit" and self._new(line):
                self._into.append(**line)

    def _reply(self, line: dict[str, Any], answers: bool) -> None:
        """`answers`: the source takes it for an answer, which no later line of its own replaced."""
        key, reply = line["key"], line["reply"]
        text = key.partition("/")[2].partition("/")[0]
        new = self._new([key, reply])
        self.tally.copies += not new
        stands = self._into.latest("stage", key) if answers else None
        if stands is not None and stands["reply"] != reply:
            self._note("strayed", text)
        if new:
            strayed = answers and self._noted("strayed", text)
            self.tally.replies_apart += strayed
            self._into.append(**{**line, "kind": "stage" if answers and not strayed else "failed"})

    def _pool(self, line: dict[str, Any]) -> None:
        if self._into.index.place("pool", line["key"]) is None and not self._noted("strayed", line["key"]):
            self._into.append(**line)

    def _unit(self, line: dict[str, Any]) -> None:
        key = line["key"]
        ours, theirs = self._into.index.unit(key), (line["status"], *_state(line), line["digest"])
        if ours == theirs:
            self.tally.same_units += 1
            return
        if ours is None or _rank(theirs) > _rank(ours):
            self._into.append(**line)
        if ours is not None:
            self._open(line["sample"])
            if ours[0] == theirs[0] == "accepted" and ours[3] != theirs[3]:
                self.tally.unlike_traces += 1
                self.tally.first_unlike = self.tally.first_unlike or key

    def _sample(self, line: dict[str, Any]) -> None:
        ours, theirs = self._into.index.sample(line["key"]), _state(line)
        if ours is None:
            self._into.append(**{**line, "settled": theirs[1] and not self._noted("open", line["key"])})
        elif ours != theirs:
            self._open(line["key"])

    def _open(self, text: str) -> None:
        """Leaves a text to be looked at by the next run, whatever other sources say of it."""
        self._note("open", text)
        ours = self._into.index.sample(text)
        if ours is not None and ours[1]:
            self._into.append("sample", text, basis=ours[0], settled=False, line=None, place=None, failure=None)

    def _new(self, line: Any) -> bool:
        """Whether a line is yet to be taken. What a source holds several times it did several times: of all sources,
        the one that holds it most often says how often it counts."""
        name = hashlib.blake2b(orjson.dumps(line), digest_size=16).digest()
        found = self._notes.execute("select source, here, kept from met where line = ?", (name,)).fetchone()
        source, here, kept = found or (self._source, 0, 0)
        here = here + 1 if source == self._source else 1
        values = (name, self._source, here, max(here, kept))
        self._notes.execute("insert or replace into met values (?, ?, ?, ?)", values)
        return here > kept

    def _note(self, table: str, text: str) -> None:
        self._notes.execute(f"insert or ignore into {table} values (?)", (text,))

    def _noted(self, table: str, text: str) -> bool:
        return self._notes.execute(f"select 1 from {table} where text = ?", (text,)).fetchone() is not None


def _state(line: dict[str, Any]) -> tuple[str, bool]:
    return line["basis"], bool(line["settled"])


def _rank(outcome: tuple[str, str, bool, str | None]) -> int:
    """How much was made of a unit. Of two accepted ones, neither outdoes the other."""
    status, _, settled, _ = outcome
    return 2 if status == "accepted" else int(settled)
