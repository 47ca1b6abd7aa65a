"""The register of questions: every question that a journal's texts may use, on disk, so that one that was asked of another
text is found again: `--dedupe-questions`.

It can always be made again from the journal's `pool` lines: it says how far it has read them, and reads on from there, as
the index does. Two questions ask the same when `programs.text.near_duplicates.similarity` says so, the rule that holds
within a text too; MinHash only finds which ones to compare.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from programs.selection.sketches import Sketches
from programs.text.near_duplicates import similarity

VERSION = "1"

_SCHEMA = """
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
