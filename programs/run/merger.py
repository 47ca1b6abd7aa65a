"""Several journals poured into one.

Journals of shards share no text, and every line of theirs is taken. Where several sources know the same text, as a copy
that was carried on does, or shards of different N:

- the replies, the questions and the state of the text are those of one source: of the one that made the most of it
  (accepted variations, then whether it was done with it), of equals the one named first. So no run weaves one source's
  question with another's thought. What the others paid for it is kept as `failed` lines, a copy of the same reply apart.
  It is left open, so that a later run looks at it again, from what is there;
- of a variation's different outcomes an accepted one stands, of two accepted ones that of the source named first.

Memory does not grow with the journals: what was met is noted in a SQLite file.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from programs.run.journal import Journal
from programs.run.merge_sources import MergeSource

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
create table text (name text primary key, source integer, made integer, contested integer) without rowid;
create table met (line blob primary key) without rowid;
"""

_STAND = """
insert into text
    select text, ?, 2 * sum(kind = 'unit' and status = 'accepted') + max(kind = 'sample' and settled), 0 from (
        select kind, status, ifnull(json_extract(facts, '$.settled'), 0) settled, case
            when kind in ('stage', 'failed') then substr(rest, 1, instr(rest || '/', '/') - 1)
            else ifnull(sample, key) end text
        from (select *, substr(key, instr(key, '/') + 1) rest from theirs.line)
        where kind in ('unit', 'pool', 'sample', 'stage', 'failed')
    ) where true group by text
    on conflict (name) do update set contested = 1, made = max(made, excluded.made),
        source = case when excluded.made > made then excluded.source else source end
"""
"""Of each text, how much a source made of it."""


@dataclass
class Overlap:
    """What the sources had in common: `same_variations` stood in several with the same outcome; of `unlike_traces`,
    accepted ones that differed, `first_unlike` names one."""

    same_variations: int = 0
    unlike_traces: int = 0
    first_unlike: str | None = None


def pour(sources: Sequence[MergeSource], into: Journal, folder: Path) -> Overlap:
    """Pours the sources into a new journal. Raises `JournalError` when one is damaged or the new one cannot be written,
    and `sqlite3.Error` when the notes in `folder` cannot."""
    with ExitStack() as held:
        notes = held.enter_context(closing(sqlite3.connect(folder / "notes.sqlite")))
        notes.executescript(_SCHEMA)
        merger = Merger(into, notes)
        for step in (merger.stand, merger.variations, merger.won, merger.lost):
            for number, source in enumerate(sources):
                with source.opened(folder) as journal:
                    step(number, journal)
    return merger.overlap


class Merger:
    """The steps of a merge, each of which goes over all sources."""

    def __init__(self, into: Journal, notes: sqlite3.Connection) -> None:
        self.overlap = Overlap()
        self._into = into
        self._notes = notes

    def stand(self, source: int, journal: Journal) -> None:
        """Notes which source a text is taken from."""
        self._notes.execute("attach ? as theirs", (str(journal.index.path),))
        self._notes.execute(_STAND, (source,))
        self._notes.commit()
        self._notes.execute("detach theirs")

    def variations(self, _source: int, journal: Journal) -> None:
        """Only how a variation ended: of what it was before, the replies tell everything."""
        for line in journal.variations():
            ours = self._into.index.variation(line["key"])
            theirs = (line["status"], line["basis"], bool(line["settled"]), line["digest"])
            if ours == theirs:
                self.overlap.same_variations += 1
            elif ours is None or _rank(theirs) > _rank(ours):
                self._into.append(**line)
            elif ours[0] == theirs[0] == "accepted" and ours[3] != theirs[3]:
                self.overlap.unlike_traces += 1
                self.overlap.first_unlike = self.overlap.first_unlike or line["key"]

    def won(self, source: int, journal: Journal) -> None:
        """Takes what a source says of its texts, and its lines that are of no text."""
        for at, length, line in journal.lines():
            kind, text = line["kind"], _text_of(line)
            if kind == "unit" or (text is None and not self._is_new(line)):
                continue
            if kind in ("pool", "sample") and journal.index.place(kind, line["key"]) != (at, length):
                continue
            winner, contested = (source, False) if text is None else self._winner(text)
            if winner != source:
                continue
            if contested and kind in ("stage", "failed"):
                self._is_new(line)
            self._into.append(**{**line, "settled": False} if contested and kind == "sample" else line)

    def lost(self, source: int, journal: Journal) -> None:
        """Keeps what was paid for texts that were taken from another source."""
        if not self._notes.execute("select 1 from text where contested and source != ? limit 1", (source,)).fetchone():
            return
        for _, _, line in journal.lines():
            text = _text_of(line)
            if line["kind"] not in ("stage", "failed") or text is None or self._winner(text)[0] == source:
                continue
            if self._is_new(line):
                # No ask goes on with a try at another source's question.
                reply = line["reply"] | ({"status": "unread"} if line["reply"]["status"] == "open" else {})
                self._into.append(**{**line, "kind": "failed", "reply": reply})

    def _winner(self, text: str) -> tuple[int, bool]:
        """The source that a text is taken from, and whether others know it."""
        row = self._notes.execute("select source, contested from text where name = ?", (text,)).fetchone()
        return int(row[0]), bool(row[1])

    def _is_new(self, line: dict[str, Any]) -> bool:
        """Whether a line is yet to be taken, in whatever source it stands: the same words for the same stage, in as many
        tokens and milliseconds, are one reply."""
        content = [line["key"], line["reply"]] if "reply" in line else line
        name = hashlib.blake2b(orjson.dumps(content), digest_size=16).digest()
        return self._notes.execute("insert or ignore into met values (?)", (name,)).rowcount == 1


def _text_of(line: dict[str, Any]) -> str | None:
    """The text that a line is about; None: it is about none."""
    kind, key = line["kind"], line["key"]
    if kind in ("stage", "failed"):
        return str(key).split("/")[1]
    return str(key) if kind in ("pool", "sample") else None


def _rank(outcome: tuple[str, str, bool, str | None]) -> int:
    """How much was made of a variation. Of two accepted ones, neither outdoes the other."""
    status, _, settled, _ = outcome
    return 2 if status == "accepted" else int(settled)
