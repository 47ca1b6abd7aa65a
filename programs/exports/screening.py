"""Which traces an export leaves out, and why: what cannot be shown, what `--licence`, `--keep` and `--min-score` do not
take, what was asked of another text before (`--dedupe-questions`), and what gives a benchmark away (`--decontaminate`)."""

import contextlib
import fnmatch
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple

from programs.exports.benchmarks import Benchmarks
from programs.exports.licences import UNKNOWN, licence_name, licence_of
from programs.exports.options import MEASURED, ExportOptions, comparisons
from programs.exports.view import NO_SCORE
from programs.inputs.sample import content_id
from programs.records import Record
from programs.text.near_duplicates import BandIndex, similarity

_SIGNS = {"<": lt, "<=": le, "==": eq, "!=": ne, ">=": ge, ">": gt}


class LeftOut(NamedTuple):
    """Why a trace is left out; for some reasons also what in this case: the question by its id, and what it is like."""

    reason: str
    example: str | None = None


Screen = Callable[[Record], LeftOut | None]


@contextlib.contextmanager
def screening(options: ExportOptions) -> Iterator[Screen]:
    """What says why a trace is left out; None: it goes in. To be asked of each trace, in order; it remembers in a temporary
    file. Raises `UserError`."""
    # Without a name SQLite keeps a database in the system's folder for temporary files, and removes it.
    with contextlib.closing(sqlite3.connect("", isolation_level=None)) as database:
        # Nobody reads it after a crash. 64 MB of it stay in memory. The end of a transaction would write to the disk.
        database.executescript("pragma journal_mode = off; pragma cache_size = -65536; begin")
        screens: list[Screen] = [partial(_refused, options)]
        if options.decontaminate:
            benchmarks = Benchmarks(database)
            benchmarks.read(options.decontaminate, "--decontaminate")
            screens.append(partial(_given_away, benchmarks))
        # Last: only a question that is taken keeps others out.
        if options.dedupe_questions:
            screens.append(AskedQuestions(database, options.dedupe_similarity).repeated)
        yield lambda record: next(filter(None, (screen(record) for screen in screens)), None)


def _refused(options: ExportOptions, record: Record) -> LeftOut | None:
    licence, score = licence_of(record.source_paper.extra) or UNKNOWN, record.metadata.quality_score
    wanted = [one.lower() if set(one) & set("*?[") else licence_name(one) for one in options.licence]
    if wanted and not any(fnmatch.fnmatchcase(licence, one) for one in wanted):
        return LeftOut("its licence is not one of --licence")
    if not options.format.whole and (why := options.lacks(record)):
        return LeftOut(why)
    if options.keep is not None and (why := not_kept(options.keep, record)):
        return LeftOut(why)
    if options.min_score is None or options.format.attempts:
        return None
    if score is None:
        return LeftOut(NO_SCORE)
    return LeftOut(f"its score is below {options.min_score:g}") if score < options.min_score else None


def not_kept(rule: str, record: Record) -> str | None:
    """Why a rule of `--keep` does not take a trace, as it does not where something was not measured; None: it does."""
    parts = comparisons(rule)
    found = {name: _measured(record, name) for name, _, _ in parts}
    if missing := [name for name, value in found.items() if value is None]:
        return f"not measured of it: {', '.join(missing)} (--keep)"
    kept = all(_SIGNS[sign](found[name], number) for name, sign, number in parts)
    return None if kept else f"it is not {rule.strip()} (--keep)"


def _measured(record: Record, name: str) -> Any:
    value: Any = record
    for field in MEASURED[name].split("."):
        value = None if value is None else getattr(value, field)
    return value


def _given_away(benchmarks: Benchmarks, record: Record) -> LeftOut | None:
    what, given = "its question", benchmarks.given_away_by_question(record.user_interaction.question)
    if given is None:
        what = "its thought or its answer"
        given = benchmarks.given_away_by(record.reasoning_trace) or benchmarks.given_away_by(record.final_answer)
    reason = f"{what} gives a benchmark away (--decontaminate)"
    return None if given is None else LeftOut(reason, f"{question_name(record)} {given}")


def question_name(record: Record) -> str:
    """What a question is called in counts: not by its words, which would carry a benchmark's into a published card."""
    return record.question_id or f"a question of {record.source_paper.title}"


class AskedQuestions:
    """The questions that are taken, in tables of an open database. Two are one from `threshold` (75-100) of similarity on;
    only what MinHash finds is compared."""

    def __init__(self, database: sqlite3.Connection, threshold: float) -> None:
        self._database, self._threshold, self._bands = database, threshold, BandIndex(database, "asked_band")
        database.execute(
            "create table asked (item integer primary key, name text unique, source text, id text, words text, twin text)"
        )

    def repeated(self, record: Record) -> LeftOut | None:
        """Whether the question repeats one of another text; if not it is taken, and so are all of its traces."""
        source, words = record.source_paper.id or record.source_paper.title, record.user_interaction.question
        name, id = content_id(f"{source}\0{words}"), question_name(record)
        decided = self._database.execute("select twin from asked where name = ?", (name,)).fetchone()
        twin: str | None = decided[0] if decided else self._twin(source, words)
        if not decided:
            values = (name, source, id, words, twin)
            item = self._database.execute("insert into asked values (null, ?, ?, ?, ?, ?)", values).lastrowid
            if twin is None and item is not None:
                self._bands.add(item, words)
        reason = "its question was asked of another text before (--dedupe-questions)"
        return None if twin is None else LeftOut(reason, f"{id} asks the same as {twin}")

    def _twin(self, source: str, words: str) -> str | None:
        query = "select id, words from asked where item = ? and source != ?"
        found = (self._database.execute(query, (item, source)).fetchone() for item in self._bands.candidates(words))
        return next((row[0] for row in found if row and similarity(row[1], words) >= self._threshold), None)
