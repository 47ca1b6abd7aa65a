"""Questions that ask the same thing in nearly the same words.

Wording alone misleads: two questions that share nine words of ten differ when the tenth is a number, a "not", or the
quantity asked about. So words are compared by what they carry:

    similarity = mean of 100 x Dice(content words) and the token-sort ratio of the content words

and at most DIFFERENT when the two hold different numbers, differ in negation, or each has a content word that the
other lacks (mass or spin, higher or lower). Content words are the words without grammar and without the phrases of
asking, reduced to stems, so that "Why do galaxies rotate" and "Explain why a galaxy rotates" are one. The order of
words is not looked at: "does A drive B" and "does B drive A" are taken for one question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz

from programs.text.words import stem

DIFFERENT = 60.0

_STOP_WORDS = """
    a an the of in on at to for from by with as and or but if so is are was were be been being am do does did doing
    has have had having can could may might will would shall should must ca wo it its they them their there this that
    these those we us our you your i me my he she his her what which who whom whose why how then than into onto about
    between among within also just only very such any some each both
    explain describe discuss tell say please briefly detail exactly precisely actually really
    reason reasons way ways happen happens occur occurs kind kinds sort much many
    role play plays important importance significant significance understand understanding
"""
_STOP = frozenset(_STOP_WORDS.split())
_NEGATIVE = frozenset({"not", "no", "never", "nor", "neither", "none", "without", "cannot"})
_CONTRACTED = re.compile(r"n['’]t\b")
_POSSESSIVE = re.compile(r"['’]s\b")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}\b)")
_WORD = re.compile(r"[-−]?\d+(?:\.\d+)?|\w+")


SAME = 85.0
"""Texts at or above this similarity (0-100) ask the same."""


class Dropped(NamedTuple):
    """The text at index `dropped` repeats the one at index `kept`."""

    dropped: int
    kept: int
    similarity: float


@dataclass(frozen=True, slots=True)
class _Profile:
    text: str
    content: frozenset[str]
    numbers: tuple[tuple[str, int], ...]
    negations: int


def similarity(a: str, b: str) -> float:
    """How nearly `a` and `b` ask the same, 0 to 100; symmetric; 100 for equal texts."""
    return _similarity(_profile(a), _profile(b))


def content_words(text: str) -> frozenset[str]:
    """The stems that `similarity` compares: the words of a text without grammar, without phrases of asking and without
    inflection. May be empty."""
    return _profile(text).content


def drop_near_duplicates(texts: Sequence[str], threshold: float = SAME) -> tuple[list[int], list[Dropped]]:
    """The indices to keep, ascending, and what was dropped: every text at least `threshold` similar to an earlier kept
    one, with the most similar of those (the earliest on a tie).

    Each text is compared with every kept one: meant for the questions of a passage or a batch, not for a million.
    """
    profiles = [_profile(text) for text in texts]
    kept: list[int] = []
    dropped: list[Dropped] = []
    for index, profile in enumerate(profiles):
        scores = [(_similarity(profiles[k], profile), -k) for k in kept]
        best, earlier = max(scores, default=(-1.0, 0))
        if best >= threshold:
            dropped.append(Dropped(index, -earlier, best))
        else:
            kept.append(index)
    return kept, dropped


def _similarity(a: _Profile, b: _Profile) -> float:
    if a.text == b.text:
        return 100.0
    if not a.content or not b.content:
        return min(99.0, fuzz.token_sort_ratio(a.text, b.text)) if a.content == b.content else 0.0
    dice = 200.0 * len(a.content & b.content) / (len(a.content) + len(b.content))
    score = (dice + fuzz.token_sort_ratio(" ".join(sorted(a.content)), " ".join(sorted(b.content)))) / 2
    unlike = a.numbers != b.numbers or a.negations != b.negations or (a.content - b.content and b.content - a.content)
    return round(min(score, DIFFERENT) if unlike else score, 1)


# A text is compared with others many times.
@lru_cache(maxsize=1024)
def _profile(text: str) -> _Profile:
    plain = _GROUPED.sub("", _POSSESSIVE.sub("", _CONTRACTED.sub(" not", text.lower())))
    words = _WORD.findall(plain)
    numbers = Counter(word.replace("−", "-") for word in words if word[-1].isdigit() and not word[0].isalpha())
    return _Profile(
        text=" ".join(words),
        content=frozenset(stem(word) for word in words if word not in _STOP and word not in _NEGATIVE),
        numbers=tuple(sorted(numbers.items())),
        negations=sum(word in _NEGATIVE for word in words),
    )
