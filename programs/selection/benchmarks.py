"""The questions of benchmarks, on disk, so that memory does not grow with them: `--decontaminate`.

The file lies beside the journal and is made from the benchmarks' files; while these hold the same, it is used again. The
rules are those of `programs.text.copying`.
"""

import codecs
import hashlib
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from programs.errors import JournalError, UserError
from programs.inputs.archives import BrokenArchive, read_chunks
from programs.inputs.jsonl import parse_object, read_lines
from programs.inputs.report import Unreadable
from programs.inputs.sources import line_files
from programs.selection.register import Sketches
from programs.text.copying import COMMON, GRAM, NEAR, SHORTEST, benchmark_grams, grams, questions_in, words_of
from programs.text.near_duplicates import features, jaccard

log = logging.getLogger("synthreasoner")

VERSION = f"3/{GRAM}/{SHORTEST}"
BATCH = 10_000
FEW = 20
"""With so many times more questions than different ones, what was read may be the frame around them."""

LOOKED_UP = 500
"""Grams that one query looks up."""

_SCHEMA = """
create table if not exists item (id integer primary key, file text, line integer, text text, words integer unique);
create table if not exists gram (hash integer primary key, item integer, items integer) without rowid;
create table if not exists length (words integer primary key) without rowid;
"""


class Hit(NamedTuple):
    """A benchmark's question that a text gives away, where it stands, and by which rule."""

    file: str
    line: int
    question: str
    rule: str

    def __str__(self) -> str:
        return f"{self.rule} {self.file}:{self.line}"


def benchmark_files(patterns: Sequence[str]) -> list[Path]:
    """The files of JSON lines that `--decontaminate` names. Raises `UserError` for one that is not there, cannot be opened
    or holds something else."""
    try:
        return line_files(patterns)
    except UserError as error:
        raise UserError(f"--decontaminate: {error}") from None


class Benchmarks(Sketches):
    """The questions of the benchmarks that `patterns` mean (names or wildcards of JSONL files, .gz, .zst), kept at `path`.

    `content` is a hash of what the files hold, wherever they lie. Raises `UserError` for a file that is missing, cannot be
    read whole or holds no question, `JournalError` when `path` cannot be written.
    """

    def __init__(self, path: Path, patterns: Sequence[str]) -> None:
        files = benchmark_files(patterns)
        self.content = _content(files)
        super().__init__(path, _SCHEMA, f"{VERSION}/{self.content}/{'|'.join(map(str, files))}")
        try:
            if self.said("complete") is None:
                self._read(files)
        except sqlite3.Error as error:
            self.close()
            raise JournalError(f"cannot write {path}: {error}") from error
        except UserError:
            self.close()
            raise
        self._lengths = [row[0] for row in self._database.execute("select words from length")]

    def __enter__(self) -> "Benchmarks":
        return self

    def __len__(self) -> int:
        """How many questions there are."""
        return int(self._database.execute("select count(*) from item").fetchone()[0])

    def question(self, text: str) -> Hit | None:
        """What a question gives away, by either rule; of several, the one with most in common, then the first."""
        hit = self.overlap(text)
        if hit is not None:
            return hit
        wanted, best = features(text), (0.0, 0)
        for item in self.candidates(text):
            best = max(best, (jaccard(wanted, features(self._hit(item, "").question)), -item))
        return self._hit(-best[1], "asks nearly the same as") if best[0] >= NEAR else None

    def overlap(self, text: str) -> Hit | None:
        """What any text gives away, by its words in a row."""
        found = list(grams(text, self._lengths))
        for start in range(0, len(found), LOOKED_UP):
            part = found[start : start + LOOKED_UP]
            query = f"select hash, item from gram where hash in ({','.join('?' * len(part))}) and items <= ?"
            items = dict(self._database.execute(query, (*part, COMMON)))
            if items:
                return self._hit(next(items[gram] for gram in part if gram in items), "shares its words with")
        return None

    def _hit(self, item: int, rule: str) -> Hit:
        query = "select file, line, text from item where id = ?"
        file, line, question = self._database.execute(query, (item,)).fetchone()
        return Hit(file, line, question, rule)

    def _read(self, files: list[Path]) -> None:
        for table in ("item", "gram", "length", "band"):
            self._database.execute(f"delete from {table}")
        item = 0
        for file in files:
            before, different = item, 0
            for line, text in _questions(file):
                item += 1
                different += self._add(item, file, line, text)
                if item % BATCH == 0:
                    self._database.commit()
            if different * FEW < item - before:
                log.warning("--decontaminate: of %d questions in %s only %d differ", item - before, file, different)
            if item == before:
                raise UserError(
                    f"--decontaminate: {file} holds no question that can be read: one JSON object a line, with "
                    "a field such as question, prompt or text"
                )
        self.say("complete", str(item))

    def _add(self, item: int, file: Path, line: int, text: str) -> bool:
        """Whether it is a question that was not there before."""
        run = self._database.execute
        values = (item, str(file), line, text, next(grams(text, (len(words_of(text)),))))
        if not run("insert or ignore into item values (?, ?, ?, ?, ?)", values).rowcount:
            # The same question again, as with several answers to it, makes nothing common.
            return False
        length, found = benchmark_grams(text)
        if found:
            run("insert or ignore into length values (?)", (length,))
        query = "insert into gram values (?, ?, 1) on conflict (hash) do update set items = items + 1"
        self._database.executemany(query, [(gram, item) for gram in found])
        self.sketch(item, text)
        return True


def _questions(file: Path) -> Iterator[tuple[int, str]]:
    """The questions of a file with their lines; what holds none is passed over and told."""
    passed = 0
    for raw in read_lines(file):
        if raw.data is None or not raw.data.strip():
            continue
        try:
            texts = questions_in(parse_object(raw.data.removeprefix(codecs.BOM_UTF8)))
        except Unreadable:
            texts = []
        passed += not texts
        yield from ((raw.number, text) for text in texts)
    if passed:
        log.warning("--decontaminate: %d lines of %s hold no question that can be read", passed, file)


def _content(files: list[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for file in files:
        try:
            for chunk in read_chunks(file):
                digest.update(chunk)
        except BrokenArchive:
            what = f"{file} is damaged or cut off; what is missing cannot be kept out"
            raise UserError(f"--decontaminate: {what}") from None
        except UserError as error:
            raise UserError(f"--decontaminate: {error}") from None
        digest.update(b"\0\0")
    return digest.hexdigest()
