"""Compares questions, and finds those among a million that ask the same thing in nearly the same words.

Wording alone misleads: two questions that share nine words of ten differ if the tenth is a number, a "not", or the
quantity asked about. So only words that carry meaning are compared:

    similarity = mean of 100 x Dice(content words) and the token-sort ratio of the content words

and at most MAX_IF_DIFFERENT if the two have different numbers, differ in negation, or each has a content word that the
other lacks (mass or spin). The content words are the stems of all words but grammatical ones and phrases of asking. Word
order is ignored: "does A drive B" and "does B drive A" count as one question.

Two questions are candidates for this comparison if they share MIN_SHARED of their BANDS bands of ROWS MinHash values (from
datasketch, in an index on disk). Sets of Jaccard similarity J do so with probability 0.000003 at J = 0.2, 0.13 at 0.5, 0.89
at 0.67, 0.9999 at 0.8 (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3: a band agrees with J^ROWS).
"""

import hashlib
import re
import sqlite3
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

from rapidfuzz import fuzz

from programs.text.words import EMPTY_WORDS, stem

SAME_QUESTION = 85.0
"""Questions with at least this similarity (0-100) ask the same thing."""
MAX_IF_DIFFERENT = 60.0
BANDS = 40
ROWS = 6
MIN_SHARED = 2

_NEGATIONS = frozenset({"not", "no", "never", "nor", "neither", "none", "without", "cannot"})
_CONTRACTED_NOT = re.compile(r"n['’]t\b")
_POSSESSIVE = re.compile(r"['’]s\b")
_THOUSANDS_COMMA = re.compile(r"(?<=\d),(?=\d{3}\b)")
_WORD = re.compile(r"[-−]?\d+(?:\.\d+)?|\w+")


class _Profile(NamedTuple):
    text: str
    content: frozenset[str]
    tells_apart: Counter[str]
    """How often each of its numbers occurs, and negations (under "not")."""


@lru_cache(maxsize=1024)
def _profile(text: str) -> _Profile:
    words = _WORD.findall(_THOUSANDS_COMMA.sub("", _POSSESSIVE.sub("", _CONTRACTED_NOT.sub(" not", text.lower()))))
    content = frozenset(stem(word) for word in words if word not in EMPTY_WORDS)
    tells_apart = Counter(word.replace("−", "-") for word in words if word[-1].isdigit() and not word[0].isalpha())
    tells_apart["not"] = sum(word in _NEGATIONS for word in words)
    return _Profile(" ".join(words), content, tells_apart)


def similarity(one: str, other: str) -> float:
    """The similarity of two questions, 0 to 100: symmetric, and 100 for equal texts."""
    a, b = _profile(one), _profile(other)
    if a.text == b.text:
        return 100.0
    if not a.content or not b.content:
        return min(99.0, fuzz.token_sort_ratio(a.text, b.text)) if a.content == b.content else 0.0
    dice = 200.0 * len(a.content & b.content) / (len(a.content) + len(b.content))
    score = (dice + fuzz.token_sort_ratio(" ".join(sorted(a.content)), " ".join(sorted(b.content)))) / 2
    differ = a.tells_apart != b.tells_apart or (a.content - b.content and b.content - a.content)
    return round(min(score, MAX_IF_DIFFERENT) if differ else score, 1)


def features(text: str) -> frozenset[str]:
    """The words that characterize a question: its content words, or all words if it has none of these."""
    return _profile(text).content or frozenset(re.findall(r"\w+", text.lower()))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """The Jaccard similarity of two sets, 0 to 1; 0 for two empty ones."""
    return len(a & b) / len(a | b) if a or b else 0.0


# Cached, since a question is looked up and then added.
@lru_cache(maxsize=64)
def lsh_bands(text: str) -> tuple[int, ...]:
    """Hashes of the bands of a question's MinHash signature: BANDS stable signed 64-bit integers, none without a word."""
    words = features(text)
    if not words:
        return ()
    signature = _empty_signature().copy()
    signature.update_batch([word.encode() for word in sorted(words)])
    values = signature.hashvalues.astype("<u4").reshape(BANDS, ROWS)
    digests = (hashlib.blake2b(bytes([band]) + rows.tobytes(), digest_size=8) for band, rows in enumerate(values))
    return tuple(int.from_bytes(digest.digest(), "big", signed=True) for digest in digests)


class BandIndex:
    """Finds similar questions, each identified by a number, with a new `table` in an open database."""

    def __init__(self, database: sqlite3.Connection, table: str) -> None:
        database.execute(f"create table {table} (hash integer, item integer, primary key (hash, item)) without rowid")
        self._database, self._table = database, table

    def add(self, item: int, text: str) -> None:
        rows = ((band, item) for band in lsh_bands(text))
        self._database.executemany(f"insert or ignore into {self._table} values (?, ?)", rows)

    def candidates(self, text: str) -> list[int]:
        """The numbers of the questions that share at least MIN_SHARED bands with a text, in ascending order."""
        hashes = lsh_bands(text)
        matches = f"select item from {self._table} where hash in ({','.join('?' * len(hashes))})"
        query = f"{matches} group by item having count(*) >= {MIN_SHARED} order by item"
        return [item for (item,) in self._database.execute(query, hashes)]


# Cached, since drawing the permutations takes longer than computing a signature.
@lru_cache(maxsize=1)
def _empty_signature() -> Any:
    # Imported late, since it loads scipy, which takes half a second.
    from datasketch import MinHash

    return MinHash(num_perm=BANDS * ROWS, scheme="affine32", seed=1)
