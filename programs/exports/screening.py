"""Which traces an export leaves out for the sake of others: those whose question was asked of another text before
(`--dedupe-questions`), and those that give a benchmark away (`--decontaminate`)."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from programs.exports.benchmarks import Benchmarks
from programs.exports.options import ExportOptions
from programs.inputs.sample import content_id
from programs.records import Record
from programs.text.near_duplicates import BandIndex, similarity

REPEATED = "its question was asked of another text before (--dedupe-questions)"
QUESTION_GIVEN = "its question gives a benchmark away (--decontaminate)"
TEXT_GIVEN = "its thought or its answer gives a benchmark away (--decontaminate)"

CACHE_KIB = 65536
"""What SQLite may hold in memory of a database that lies on the disk."""


class LeftOut(NamedTuple):
    """Why a trace is left out, and what in this case: the question by its id, and what it is like."""

    reason: str
    example: str


Screen = Callable[[Record], LeftOut | None]


class AskedQuestions:
    """The questions that are taken, in tables of an open database. Two are one from `threshold` (75-100) of similarity on;
    only what MinHash finds is compared."""

    def __init__(self, database: sqlite3.Connection, threshold: float) -> None:
        self._database, self._threshold, self._bands = database, threshold, BandIndex(database, "asked_band")
        database.execute(
            "create table asked (item integer primary key, name text unique, source text, id text, words text, twin text)"
        )

    def twin(self, record: Record) -> str | None:
        """The id of another text's question that this one repeats; None: it is taken, and so are all of its traces."""
        source, words = record.source_paper.id or record.source_paper.title, record.user_interaction.question
        name = content_id(f"{source}\0{words}")
        decided = self._database.execute("select twin from asked where name = ?", (name,)).fetchone()
        twin: str | None = decided[0] if decided else self._find(source, words)
        if decided is None:
            values = (name, source, question_name(record), words, twin)
            item = self._database.execute("insert into asked values (null, ?, ?, ?, ?, ?)", values).lastrowid
            if twin is None and item is not None:
                self._bands.add(item, words)
        return twin

    def _find(self, source: str, words: str) -> str | None:
        query = "select id, words from asked where item = ? and source != ?"
        found = (self._database.execute(query, (item, source)).fetchone() for item in self._bands.candidates(words))
        return next((row[0] for row in found if row and similarity(row[1], words) >= self._threshold), None)


def _left_out(record: Record, benchmarks: Benchmarks | None, asked: AskedQuestions | None) -> LeftOut | None:
    name = question_name(record)
    if benchmarks is not None:
        if given := benchmarks.given_away_by_question(record.user_interaction.question):
            return LeftOut(QUESTION_GIVEN, f"{name} {given}")
        if given := benchmarks.given_away_by(record.reasoning_trace) or benchmarks.given_away_by(record.final_answer):
            return LeftOut(TEXT_GIVEN, f"{name} {given}")
    if asked is not None and (twin := asked.twin(record)):
        return LeftOut(REPEATED, f"{name} asks the same as {twin}")
    return None


def question_name(record: Record) -> str:
    """What a question is called in counts: not by its words, which would carry a benchmark's into a published card."""
    return record.question_id or f"a question of {record.source_paper.title}"


@contextlib.contextmanager
def screening(options: ExportOptions) -> Iterator[Screen]:
    """What says why a trace is left out; None: it goes in, and others are held against its question. To be asked of each
    trace that nothing else keeps out, in order; it remembers in a temporary file. Raises `UserError`."""
    # Without a name SQLite keeps a database in the system's folder for temporary files, and removes it.
    with contextlib.closing(sqlite3.connect("", isolation_level=None)) as database:
        # Nobody reads it after a crash. A single transaction, as the end of each would write to the disk.
        database.execute("pragma journal_mode = off")
        database.execute(f"pragma cache_size = -{CACHE_KIB}")
        database.execute("begin")
        benchmarks = Benchmarks(database) if options.decontaminate else None
        if benchmarks is not None:
            benchmarks.read(options.decontaminate, "--decontaminate")
        asked = AskedQuestions(database, options.dedupe_similarity) if options.dedupe_questions else None
        yield partial(_left_out, benchmarks=benchmarks, asked=asked)
