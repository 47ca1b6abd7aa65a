"""Traces of one question brought together, wherever they stand in the input, at a memory of one question's traces.

Traces go into a file on the disk, their places into a SQLite file; then they come back question by question, in the
order in which the questions first came.
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from programs.exports.format import Candidate
from programs.inputs.sample import content_id
from programs.records import Record

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
create table question (number integer primary key, name text unique);
create table place (question integer, at integer, length integer);
"""


def by_question(candidates: Iterable[Candidate], folder: Path) -> Iterator[list[Candidate]]:
    """The candidates of each question, in their order. Keeps what it writes in `folder` until it is done."""
    with (
        tempfile.TemporaryDirectory(prefix=".questions-", dir=folder) as home,
        Path(home, "traces").open("w+b") as file,
    ):
        places = sqlite3.connect(Path(home, "places.sqlite"))
        try:
            places.executescript(_SCHEMA)
            for candidate in candidates:
                line = _packed(candidate)
                place = (_number(places, _question(candidate.record)), file.tell(), len(line))
                places.execute("insert into place values (?, ?, ?)", place)
                file.write(line)
            group: list[Candidate] = []
            current = None
            for question, at, length in places.execute("select * from place order by question, at"):
                if question != current and group:
                    yield group
                    group = []
                current = question
                file.seek(at)
                group.append(_unpacked(file.read(length)))
            if group:
                yield group
        finally:
            places.close()


def _number(places: sqlite3.Connection, question: str) -> int:
    """The questions are numbered as they come."""
    places.execute("insert or ignore into question (name) values (?)", (question,))
    (number,) = places.execute("select number from question where name = ?", (question,)).fetchone()
    return int(number)


def _question(record: Record) -> str:
    """A question of a text. The words too: a merged journal may hold several under one name."""
    source = record.source_paper
    name = record.question_id or f"{source.id or source.title}"
    return content_id(f"{name}\0{record.user_interaction.question}")


def _packed(candidate: Candidate) -> bytes:
    return orjson.dumps([candidate.record.model_dump(mode="json"), candidate.became, candidate.position])


def _unpacked(line: bytes) -> Candidate:
    record, became, position = orjson.loads(line)
    return Candidate(Record.model_validate(record), became, position)
