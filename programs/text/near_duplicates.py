"""Questions that ask the same thing in nearly the same words, and how to find them among a million.

Wording alone misleads: two questions that share nine words of ten differ when the tenth is a number, a "not", or the
quantity asked about. So words are compared by what they carry:

    similarity = mean of 100 x Dice(content words) and the token-sort ratio of the content words

and at most DIFFERENT when the two hold different numbers, differ in negation, or each has a content word that the other
lacks (mass or spin). Content words are the words without grammar and phrases of asking, reduced to stems. The order of
words is not looked at: "does A drive B" and "does B drive A" are taken for one question.

What is to be compared shares SHARED of its BANDS x ROWS minimal hashes (datasketch's, in an index on disk): sets of Jaccard
similarity J do with probability 0.000003 at 0.2, 0.13 at 0.5, 0.89 at 0.67, 0.9999 at 0.8 (Leskovec, Rajaraman, Ullman,
Mining of Massive Datasets, chapter 3: a band agrees with probability J^ROWS).
"""

import hashlib
import re
import sqlite3
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

from rapidfuzz import fuzz

from programs.text.words import stem

SAME = 85.0
"""Texts at or above this similarity (0-100) ask the same."""
DIFFERENT = 60.0
BANDS = 40
ROWS = 6
SHARED = 2

_STOP_WORDS = """
    a an the of in on at to for from by with as and or but if so is are was were be been being am do does did doing
    has have had having can could may might will would shall should must ca wo it its they them their there this
    that these those we us our you your i me my he she his her what which who whom whose why how then than into onto
    about between among within also just only very such any some each both not no never nor neither none without
    cannot explain describe discuss tell say please briefly detail exactly precisely actually really reason reasons
    way ways happen happens occur occurs kind kinds sort much many role play plays important importance significant
    significance understand understanding
"""
_STOP = frozenset(_STOP_WORDS.split())
_NEGATIVE = frozenset({"not", "no", "never", "nor", "neither", "none", "without", "cannot"})
_CONTRACTED = re.compile(r"n['’]t\b")
_POSSESSIVE = re.compile(r"['’]s\b")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}\b)")
_WORD = re.compile(r"[-−]?\d+(?:\.\d+)?|\w+")


class _Profile(NamedTuple):
    text: str
    content: frozenset[str]
    tells_apart: Counter[str]
    """Its numbers, and how often it negates."""


# A text is compared with others many times.
@lru_cache(maxsize=1024)
def _profile(text: str) -> _Profile:
    words = _WORD.findall(_GROUPED.sub("", _POSSESSIVE.sub("", _CONTRACTED.sub(" not", text.lower()))))
    content = frozenset(stem(word) for word in words if word not in _STOP)
    tells_apart = Counter(word.replace("−", "-") for word in words if word[-1].isdigit() and not word[0].isalpha())
    tells_apart["not"] = sum(word in _NEGATIVE for word in words)
    return _Profile(" ".join(words), content, tells_apart)


def similarity(one: str, other: str) -> float:
    """How nearly two texts ask the same, 0 to 100; symmetric; 100 for equal texts."""
    a, b = _profile(one), _profile(other)
    if a.text == b.text:
        return 100.0
    if not a.content or not b.content:
        return min(99.0, fuzz.token_sort_ratio(a.text, b.text)) if a.content == b.content else 0.0
    dice = 200.0 * len(a.content & b.content) / (len(a.content) + len(b.content))
    score = (dice + fuzz.token_sort_ratio(" ".join(sorted(a.content)), " ".join(sorted(b.content)))) / 2
    unlike = a.tells_apart != b.tells_apart or (a.content - b.content and b.content - a.content)
    return round(min(score, DIFFERENT) if unlike else score, 1)


def features(text: str) -> frozenset[str]:
    """The words that a question is known by: its content words, or all where it has none; empty without a word."""
    return _profile(text).content or frozenset(re.findall(r"\w+", text.lower()))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """The share of what two sets have in common in what they have, 0 to 1; 0 for two empty ones."""
    return len(a & b) / len(a | b) if a or b else 0.0


# A question is looked up, and then put.
@lru_cache(maxsize=64)
def bands(text: str) -> tuple[int, ...]:
    """The bands of a question's signature: BANDS signed 64-bit numbers, the same everywhere; none without a word."""
    words = features(text)
    if not words:
        return ()
    signature = _empty_signature().copy()
    signature.update_batch([word.encode() for word in sorted(words)])
    values = signature.hashvalues.astype("<u4").reshape(BANDS, ROWS)
    digests = (hashlib.blake2b(bytes([band]) + rows.tobytes(), digest_size=8) for band, rows in enumerate(values))
    return tuple(int.from_bytes(digest.digest(), "big", signed=True) for digest in digests)


class BandIndex:
    """Finds which questions, each known by a number, are nearly alike, by a new `table` of an open database."""

    def __init__(self, database: sqlite3.Connection, table: str) -> None:
        database.execute(f"create table {table} (hash integer, item integer, primary key (hash, item)) without rowid")
        self._database, self._table = database, table

    def add(self, item: int, text: str) -> None:
        rows = ((band, item) for band in bands(text))
        self._database.executemany(f"insert or ignore into {self._table} values (?, ?)", rows)

    def candidates(self, text: str) -> list[int]:
        """Those that share SHARED bands or more with a text, in order."""
        of = bands(text)
        found = f"select item from {self._table} where hash in ({','.join('?' * len(of))})"
        query = f"{found} group by item having count(*) >= {SHARED} order by item"
        return [item for (item,) in self._database.execute(query, of)]


# Drawing the permutations takes longer than a signature.
@lru_cache(maxsize=1)
def _empty_signature() -> Any:
    # Only now: it loads scipy, which takes half a second.
    from datasketch import MinHash

    return MinHash(num_perm=BANDS * ROWS, scheme="affine32", seed=1)
