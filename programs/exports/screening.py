"""Decides which traces an export leaves out, and why: those that lack a text, those that `--licence`, `--keep` or
`--min-score` exclude, those that leak a benchmark (`--decontaminate`), and repeated questions (`--dedupe-questions`)."""

import contextlib
import fnmatch
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple

from programs.exports.benchmarks import Benchmarks
from programs.exports.licences import UNKNOWN, licence_name, licence_of
from programs.exports.options import MEASURE_PATHS, ExportOptions, parse_rule
from programs.exports.view import NO_SCORE, paper_question_key
from programs.records import Record
from programs.text.near_duplicates import BandIndex, similarity

_OPERATORS = {"<": lt, "<=": le, "==": eq, "!=": ne, ">=": ge, ">": gt}


class Exclusion(NamedTuple):
    """Why a trace is left out. `example`, given for some reasons, names the question by id and what it matches."""

    reason: str
    example: str | None = None


Screen = Callable[[Record], Exclusion | None]


@contextlib.contextmanager
def screening(options: ExportOptions) -> Iterator[Screen]:
    """Yields a function that says why a trace is left out, or None if it is kept. Call it once for each trace, in order: it
    remembers the questions, in a temporary file. Raises `UserError`."""
    # A database without a name is a temporary file, which SQLite removes.
    with contextlib.closing(sqlite3.connect("", isolation_level=None)) as database:
        # Never read after a crash, so it needs no rollback journal and no commit, which would flush. The cache is 64 MB.
        database.executescript("pragma journal_mode = off; pragma cache_size = -65536; begin")
        screens: list[Screen] = [partial(_excluded, options)]
        if options.decontaminate:
            benchmarks = Benchmarks(database)
            benchmarks.read(options.decontaminate, "--decontaminate")
            screens.append(partial(_leaks, benchmarks))
        # Last, so that only the questions of kept traces exclude others.
        if options.dedupe_questions:
            screens.append(AskedQuestions(database, options.dedupe_similarity).check)
        yield lambda record: next(filter(None, (screen(record) for screen in screens)), None)


def _excluded(options: ExportOptions, record: Record) -> Exclusion | None:
    licence = licence_of(record.source_paper.extra) or UNKNOWN
    score = record.metadata.quality_score
    patterns = [name.lower() if set(name) & set("*?[") else licence_name(name) for name in options.licence]
    if patterns and not any(fnmatch.fnmatchcase(licence, pattern) for pattern in patterns):
        return Exclusion("its licence is not in --licence")
    if not options.format.raw_record and (why := options.why_not_shown(record)):
        return Exclusion(why)
    if options.keep is not None and (why := why_not_kept(options.keep, record)):
        return Exclusion(why)
    if options.min_score is None or options.format.with_attempts:
        return None
    if score is None:
        return Exclusion(NO_SCORE)
    return Exclusion(f"its score is below {options.min_score:g}") if score < options.min_score else None


def why_not_kept(rule: str, record: Record) -> str | None:
    """Why a rule of `--keep` excludes a trace; None if it keeps it. A measure that is missing excludes it."""
    parts = parse_rule(rule)
    found = {name: _measured(record, name) for name, _, _ in parts}
    if missing := [name for name, value in found.items() if value is None]:
        return f"not measured: {', '.join(missing)} (--keep)"
    kept = all(_OPERATORS[operator](found[name], number) for name, operator, number in parts)
    return None if kept else f"it does not satisfy {rule.strip()} (--keep)"


def _measured(record: Record, name: str) -> Any:
    value: Any = record
    for field in MEASURE_PATHS[name].split("."):
        value = None if value is None else getattr(value, field)
    return value


def _leaks(benchmarks: Benchmarks, record: Record) -> Exclusion | None:
    part, found = "its question", benchmarks.match_question(record.user_interaction.question)
    if found is None:
        part = "its thought or answer"
        found = benchmarks.match_text(record.reasoning_trace) or benchmarks.match_text(record.final_answer)
    reason = f"{part} leaks a benchmark question (--decontaminate)"
    return None if found is None else Exclusion(reason, f"{question_name(record)} {found}")


def question_name(record: Record) -> str:
    """How examples name a question: not by its text, which could carry a benchmark's into a published card."""
    return record.question_id or f"a question of {record.source_paper.title}"


class AskedQuestions:
    """Finds questions that repeat a kept one of another text, with tables of an open database. Questions repeat each other
    from a similarity of `threshold` (75-100); only candidates that MinHash finds are compared."""

    def __init__(self, database: sqlite3.Connection, threshold: float) -> None:
        self._database, self._threshold = database, threshold
        self._bands = BandIndex(database, "asked_band")
        database.execute(
            "create table asked "
            "(item integer primary key, name text unique, source text, id text, question text, original text)"
        )

    def check(self, record: Record) -> Exclusion | None:
        """Why a trace is left out, if its question repeats one of another text. All traces of a question share its fate."""
        source = record.source_paper.id or record.source_paper.title
        question = record.user_interaction.question
        name, id = paper_question_key(record), question_name(record)
        decided = self._database.execute("select original from asked where name = ?", (name,)).fetchone()
        original: str | None = decided[0] if decided else self._original_of(source, question)
        if not decided:
            values = (name, source, id, question, original)
            item = self._database.execute("insert into asked values (null, ?, ?, ?, ?, ?)", values).lastrowid
            if original is None and item is not None:
                self._bands.add(item, question)
        reason = "its question repeats one of an earlier text (--dedupe-questions)"
        return None if original is None else Exclusion(reason, f"{id} asks the same as {original}")

    def _original_of(self, source: str, question: str) -> str | None:
        query = "select id, question from asked where item = ? and source != ?"
        found = (self._database.execute(query, (item, source)).fetchone() for item in self._bands.candidates(question))
        return next((row[0] for row in found if row and similarity(row[1], question) >= self._threshold), None)
