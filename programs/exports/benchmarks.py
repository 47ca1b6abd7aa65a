"""The questions of benchmarks, and what gives one away (`--decontaminate`, `--against`), by either of two rules:

1. an overlap of words, after appendix C of "Language Models are Few-Shot Learners" (Brown et al., 2020; arXiv 2005.14165):
   the text and the benchmark's question share GRAM words in a row, without case and punctuation. There N lies between 8
   and 13 by the length of a benchmark's examples, and what collides with more than 10 documents is taken for a common
   phrase; here a benchmark question of SHORTEST to GRAM - 1 words is one gram of its own length, and a gram that stands
   in more than COMMON of the benchmarks' questions, the frame of a prompt, say, counts for nothing;
2. nearness, of questions alone: the Jaccard similarity of their words (`near_duplicates.features`) is NEAR or more. Numbers
   and negations are not looked at: a question dropped for nothing costs less than a benchmark given away.
"""

import hashlib
import json
import logging
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from programs.errors import UserError
from programs.inputs.archives import BrokenArchive
from programs.inputs.jsonl import parse_object, read_lines
from programs.inputs.report import Unreadable
from programs.inputs.sources import line_files
from programs.text.near_duplicates import BandIndex, features, jaccard
from programs.text.words import runs

log = logging.getLogger("synthreasoner")

GRAM = 13
SHORTEST = 8
COMMON = 10
NEAR = 0.8

FIELDS = ("question", "questionstem", "problem", "query", "prompt", "instruction", "input", "text", "messages")
"""Where a benchmark's record may have its question, without case and separators; the first that holds words counts."""

_LETTERS = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’]")


class Benchmarks:
    """Questions that data must not hold, in tables of an open database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database, self._bands = database, BandIndex(database, "benchmark_band")
        self._lengths: set[int] = set()
        columns = "item integer primary key, place text, text text, words integer unique"
        database.execute(f"create table benchmark ({columns})")
        database.execute("create table gram (hash integer primary key, item integer, items integer) without rowid")

    def read(self, patterns: Sequence[str], option: str) -> None:
        """Adds the questions in the JSON lines that an option names (files or wildcards, .gz and .zst among them). Raises
        `UserError` for a file that is missing, cannot be read whole or holds no question."""
        file: Path | None = None
        try:
            for file in line_files(patterns):
                self._read(file, option)
        except BrokenArchive:
            raise UserError(f"{option}: {file} is damaged or cut off; what is missing cannot be kept out") from None
        except UserError as error:
            raise UserError(f"{option}: {error}") from None

    def given_away_by_question(self, question: str) -> str | None:
        """Where the benchmark's question stands that a question gives away, and by which rule; of near ones the nearest."""
        if given := self.given_away_by(question):
            return given
        wanted, rows = features(question), map(self._row, self._bands.candidates(question))
        near = [(jaccard(wanted, features(text)), place) for place, text in rows]
        most, place = max(near, key=itemgetter(0), default=(0.0, ""))
        return f"asks nearly the same as {place}" if most >= NEAR else None

    def given_away_by(self, text: str) -> str | None:
        """The same of any text, by its words in a row."""
        return (place := self.place_in(text)) and f"shares its words with {place}"

    def place_in(self, text: str) -> str | None:
        """Where the first question stands that a text has words in a row of."""
        query = "select item from json_each(?) cross join gram on hash = value where items <= ? order by key limit 1"
        said = json.dumps([*grams(words_of(text), sorted(self._lengths))])
        item = self._database.execute(query, (said, COMMON)).fetchone()
        return self._row(item[0])[0] if item else None

    def _row(self, item: int) -> tuple[str, str]:
        place, text = self._database.execute("select place, text from benchmark where item = ?", (item,)).fetchone()
        return place, text

    def _read(self, file: Path, option: str) -> None:
        questions = different = passed = 0
        for line in read_lines(file):
            try:
                # A line that is too long has no data.
                record = {} if line.data is None else parse_object(line.data)
            except Unreadable:
                record = {}
            if record is not None:
                found = questions_in(record)
                questions, passed = questions + len(found), passed + (not found)
                different += sum(self._add(f"{file.name}:{line.number}", text) for text in found)
        if passed:
            log.warning("%s: %d lines of %s hold no question that can be read", option, passed, file)
        if not questions:
            form = "one JSON object a line, with a field such as question, prompt or text"
            raise UserError(f"{file} holds no question that can be read: {form}")
        # It may be the frame around them.
        if 20 * different < questions:
            log.warning("%s: of %d questions in %s only %d differ", option, questions, file, different)

    def _add(self, place: str, text: str) -> bool:
        """Adds a question; whether it was not there before: with several answers to it, it makes nothing common."""
        words = words_of(text)
        values = (place, text, *grams(words, [len(words)]))
        added = self._database.execute("insert or ignore into benchmark values (null, ?, ?, ?)", values)
        item, length = added.lastrowid, min(GRAM, len(words))
        if not added.rowcount or item is None:
            return False
        if length >= SHORTEST:
            self._lengths.add(length)
            query = "insert into gram values (?, ?, 1) on conflict (hash) do update set items = items + 1"
            self._database.executemany(query, [(gram, item) for gram in {*grams(words, [length])}])
        self._bands.add(item, text)
        return True


def words_of(text: str) -> list[str]:
    """The words of a text as grams are made of: compatibility forms unified, no case, no punctuation."""
    return _LETTERS.findall(_APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold()))


def grams(words: Sequence[str], lengths: Iterable[int]) -> Iterator[int]:
    """A signed 64-bit hash for each run of so many words, in order."""
    for run in (run for length in lengths for run in runs(words, length)):
        yield int.from_bytes(hashlib.blake2b(" ".join(run).encode(), digest_size=8).digest(), "big", signed=True)


def questions_in(record: Mapping[str, Any]) -> list[str]:
    """The question of a benchmark's record, or what may be it; empty when no field of FIELDS holds one. A field is a text,
    a list of chat messages (what the user says in them), or an object with its `stem` or `text`."""
    squeezed = {re.sub(r"[\W_]", "", name.lower()): value for name, value in record.items()}
    texts = {name: text for name in FIELDS if words_of(text := _said_in(squeezed.get(name)))}
    first = next(iter(texts), None)
    # Beside an `input` a prompt may be the question or the frame around it: both count.
    wanted = (first, "input") if first in ("prompt", "instruction") else (first,)
    return [text for name, text in texts.items() if name in wanted]


def _said_in(value: Any) -> str:
    if isinstance(value, dict):
        return _said_in(value.get("stem") or value.get("text") or value.get("content"))
    if isinstance(value, list):
        said = [item for item in value if not isinstance(item, dict) or item.get("role", "user") == "user"]
        return "\n".join(filter(None, map(_said_in, said)))
    return value if isinstance(value, str) else ""
