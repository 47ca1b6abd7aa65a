"""Finds texts that leak a question of a benchmark (`--decontaminate`, `--against`), by either of two rules:

1. n-gram overlap, after appendix C of "Language Models are Few-Shot Learners" (Brown et al., 2020; arXiv 2005.14165): the
   text shares NGRAM_LENGTH consecutive words with a benchmark question, ignoring case and punctuation. The paper's N is 8
   to 13, depending on the length of a benchmark's examples, and it takes an n-gram that collides with more than 10
   documents for a common phrase. Here, a shorter question of at least MIN_NGRAM_LENGTH words is one n-gram, and an n-gram
   in more than MAX_OCCURRENCES benchmark questions, such as a prompt template, is ignored;
2. near-duplicates, for questions only: the Jaccard similarity of their words (`near_duplicates.features`) is at least
   MIN_JACCARD, even if a number or a "not" differs: dropping a question needlessly costs less than leaking a benchmark.
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
from programs.inputs.sources import jsonl_files
from programs.text.near_duplicates import BandIndex, features, jaccard
from programs.text.words import ngrams

log = logging.getLogger("synthreasoner")

NGRAM_LENGTH = 13
MIN_NGRAM_LENGTH = 8
MAX_OCCURRENCES = 10
MIN_JACCARD = 0.8

QUESTION_FIELDS = ("question", "questionstem", "problem", "query", "prompt", "instruction", "input", "text", "messages")
"""Fields that may hold a benchmark record's question, ignoring case and separators; the first that has words is used."""

_WORD_PATTERN = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’]")


class Benchmarks:
    """Benchmark questions that training data must not contain, in new tables of an open database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database, self._bands = database, BandIndex(database, "benchmark_band")
        self._lengths: set[int] = set()
        columns = "item integer primary key, place text, text text, words integer unique"
        database.execute(f"create table benchmark ({columns})")
        database.execute("create table gram (hash integer primary key, item integer, items integer) without rowid")

    def read(self, patterns: Sequence[str], option: str) -> None:
        """Adds the questions of the JSONL files (names or wildcards, also .gz and .zst) that were given to `option`. Raises
        `UserError` if a file is missing, damaged or has no question."""
        file: Path | None = None
        try:
            for file in jsonl_files(patterns):
                self._read(file, option)
        except BrokenArchive:
            raise UserError(f"{option}: {file} is damaged or truncated, so questions are missing") from None
        except UserError as error:
            raise UserError(f"{option}: {error}") from None

    def match_question(self, question: str) -> str | None:
        """How a question leaks a benchmark's, with its place FILE:LINE, or None. The nearest near-duplicate is named."""
        if overlap := self.match_text(question):
            return overlap
        words = features(question)
        rows = map(self._row, self._bands.candidates(question))
        scored = [(jaccard(words, features(text)), place) for place, text in rows]
        highest, place = max(scored, key=itemgetter(0), default=(0.0, ""))
        return f"asks nearly the same as {place}" if highest >= MIN_JACCARD else None

    def match_text(self, text: str) -> str | None:
        """The same for any text, by n-gram overlap only."""
        return (place := self.overlap_place(text)) and f"shares a run of words with {place}"

    def overlap_place(self, text: str) -> str | None:
        """The place FILE:LINE of a benchmark question that shares an n-gram with a text; None if there is none."""
        query = "select item from json_each(?) cross join gram on hash = value where items <= ? order by key limit 1"
        hashes = json.dumps([*ngram_hashes(words_of(text), sorted(self._lengths))])
        item = self._database.execute(query, (hashes, MAX_OCCURRENCES)).fetchone()
        return self._row(item[0])[0] if item else None

    def _row(self, item: int) -> tuple[str, str]:
        place, text = self._database.execute("select place, text from benchmark where item = ?", (item,)).fetchone()
        return place, text

    def _read(self, file: Path, option: str) -> None:
        questions = distinct = without_question = 0
        for number, line in enumerate(read_lines(file), start=1):
            try:
                # A line over the limit is None.
                record = {} if line is None else parse_object(line)
            except Unreadable:
                record = {}
            if record is not None:
                found = questions_in(record)
                questions += len(found)
                without_question += not found
                distinct += sum(self._add(f"{file.name}:{number}", text) for text in found)
        if without_question:
            log.warning("%s: %d lines of %s have no readable question", option, without_question, file)
        if not questions:
            expected = "expected one JSON object per line, with a field such as question, prompt or text"
            raise UserError(f"{file} has no readable question: {expected}")
        # The text that was read may be a prompt template that all questions share.
        if 20 * distinct < questions:
            log.warning("%s: only %d of the %d questions in %s are distinct", option, distinct, questions, file)

    def _add(self, place: str, text: str) -> bool:
        """Adds a question unless it is known, so that repeats do not make its n-grams common. Returns whether it is new."""
        words = words_of(text)
        values = (place, text, *ngram_hashes(words, [len(words)]))
        added = self._database.execute("insert or ignore into benchmark values (null, ?, ?, ?)", values)
        item, length = added.lastrowid, min(NGRAM_LENGTH, len(words))
        if not added.rowcount or item is None:
            return False
        if length >= MIN_NGRAM_LENGTH:
            self._lengths.add(length)
            query = "insert into gram values (?, ?, 1) on conflict (hash) do update set items = items + 1"
            self._database.executemany(query, [(gram, item) for gram in {*ngram_hashes(words, [length])}])
        self._bands.add(item, text)
        return True


def words_of(text: str) -> list[str]:
    """The words that n-grams are made of: NFKC-normalized and case-folded, without punctuation."""
    return _WORD_PATTERN.findall(_APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold()))


def ngram_hashes(words: Sequence[str], lengths: Iterable[int]) -> Iterator[int]:
    """A signed 64-bit hash of each n-gram of these lengths, by length and then by position."""
    for run in (run for length in lengths for run in ngrams(words, length)):
        yield int.from_bytes(hashlib.blake2b(" ".join(run).encode(), digest_size=8).digest(), "big", signed=True)


def questions_in(record: Mapping[str, Any]) -> list[str]:
    """The question of a benchmark record, or the texts that may be it; empty if no field of QUESTION_FIELDS has one. The
    value may be a string, a list of chat messages (the user's are read), or an object with `stem`, `text` or `content`."""
    by_name = {re.sub(r"[\W_]", "", name.lower()): value for name, value in record.items()}
    texts = {name: text for name in QUESTION_FIELDS if words_of(text := _text_in(by_name.get(name)))}
    first = next(iter(texts), None)
    # If there is also an `input`, a prompt may be the question or just an instruction, so both are used.
    names = (first, "input") if first in ("prompt", "instruction") else (first,)
    return [text for name, text in texts.items() if name in names]


def _text_in(value: Any) -> str:
    if isinstance(value, dict):
        return _text_in(value.get("stem") or value.get("text") or value.get("content"))
    if isinstance(value, list):
        from_user = [item for item in value if not isinstance(item, dict) or item.get("role", "user") == "user"]
        return "\n".join(filter(None, map(_text_in, from_user)))
    return value if isinstance(value, str) else ""
