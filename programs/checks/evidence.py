"""Where a quote stands in the passage it was taken from.

Three ways, the strictest first: the very characters; the same characters up to spacing, case, typographic quotes and
dashes; nearly the same words. A near match must agree in every number and every negation: those carry the claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

# Shorter quotes are too easily found by chance.
SHORTEST_LOOSE_QUOTE = 12

_QUOTES = dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("“”„‟″«»", '"')
_DASHES = dict.fromkeys("‐‑‒–—―−﹣-", "-")
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "…": "..."}
_INVISIBLE = dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", "")
_FOLDS: dict[str, str] = _QUOTES | _DASHES | _LIGATURES | _INVISIBLE

# A minus counts as a sign only where it cannot be a hyphen or a range.
_NUMBER = re.compile(r"(?<![\w)])-?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*|[⁰¹²³⁴-⁹₀-₉⁻]+")
_NEGATION = re.compile(r"\b(?:not|no|never|nor|neither|none|without|cannot)\b|n't\b")

# A window that begins right after a "not" has left it out.
_NEGATED = re.compile(r"(?:\b(?:not|no|never|nor|without|cannot)|n't) ?\Z")


@dataclass(frozen=True, slots=True)
class Match:
    """passage[start:end] is the quote; `similarity` runs from 0 to 100 and is 100 unless the method is "fuzzy"."""

    start: int
    end: int
    method: Literal["exact", "normalised", "fuzzy"]
    similarity: float


def locate(quote: str, passage: str, threshold: float = 90.0) -> Match | None:
    """The place of `quote` in `passage`, or None when it is not there.

    Space around the quote is ignored, and so are, when it is not found exactly, quotation marks around it. Of several
    exact places the first that cuts no word is taken. A fuzzy match has at least `threshold` similarity (0 to 100, the
    Indel ratio of quote and match), ends at word boundaries, and has the quote's numbers and as many negations.
    Quotes shorter than SHORTEST_LOOSE_QUOTE characters are found exactly or not at all.
    """
    wanted = quote.strip()
    if not wanted:
        return None
    if (start := _find(wanted, passage)) is not None:
        return Match(start, start + len(wanted), "exact", 100.0)
    if len(wanted) < SHORTEST_LOOSE_QUOTE:
        return None
    folded, places = _fold(passage)
    for candidate in _candidates(wanted):
        if (start := _find(candidate, folded)) is not None:
            return _match(passage, places, start, start + len(candidate), "normalised", 100.0)
    return _fuzzy(_candidates(wanted)[-1], passage, folded, places, threshold)


def normalise(text: str) -> str:
    """`text` as the loose comparisons see it: lower case, single spaces, plain quotes and dashes, no ligatures."""
    return _fold(text)[0].strip()


def _find(wanted: str, text: str) -> int | None:
    first = start = text.find(wanted)
    while start >= 0:
        if not _inside_word(text, start) and not _inside_word(text, start + len(wanted)):
            return start
        start = text.find(wanted, start + 1)
    return first if first >= 0 else None


def _inside_word(text: str, cut: int) -> bool:
    return 0 < cut < len(text) and text[cut - 1].isalnum() and text[cut].isalnum()


def _fold(text: str) -> tuple[str, list[int]]:
    """The normal form of `text`, and for each of its characters the index in `text` that it comes from."""
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        folded = " " if sign.isspace() else _FOLDS.get(sign, sign.lower())
        if folded == " " and signs and signs[-1] == " ":
            continue
        signs.extend(folded)
        places.extend([place] * len(folded))
    return "".join(signs), places


def _candidates(quote: str) -> list[str]:
    """The quote's normal form, and the same without the quotation marks and dots that a model puts around it."""
    plain = normalise(quote)
    bare = plain.strip("\"' ")
    bare = bare.removeprefix("...").removesuffix("...").strip()
    return [plain, bare] if len(bare) >= SHORTEST_LOOSE_QUOTE and bare != plain else [plain]


def _match(
    passage: str, places: list[int], start: int, end: int, method: Literal["normalised", "fuzzy"], similarity: float
) -> Match:
    """The match in the passage for folded[start:end], without space at its ends."""
    first, last = places[start], places[end - 1] + 1
    found = passage[first:last]
    first += len(found) - len(found.lstrip())
    return Match(first, first + len(found.strip()), method, similarity)


def _fuzzy(quote: str, passage: str, folded: str, places: list[int], threshold: float) -> Match | None:
    # rapidfuzz slides the shorter string over the longer: a passage inside a longer quote is no evidence.
    if len(quote) > len(folded):
        windows: Iterator[tuple[int, int]] = iter([(0, len(folded))])
    else:
        found = fuzz.partial_ratio_alignment(quote, folded, score_cutoff=threshold)
        windows = iter(()) if found is None else _at_words(folded, found.dest_start, found.dest_end)
    for start, end in windows:
        window = folded[start:end].strip()
        similarity = fuzz.ratio(quote, window)
        if not window or similarity < threshold or _NEGATED.search(folded[:start]):
            continue
        if _claims(quote) == _claims(window):
            return _match(passage, places, start, end, "fuzzy", round(similarity, 1))
    return None


def _at_words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The window moved to word boundaries: outward first, then with either end or both moved inward."""
    out_start, out_end, in_start, in_end = start, end, start, end
    while _inside_word(text, out_start):
        out_start -= 1
    while _inside_word(text, out_end):
        out_end += 1
    while in_start < end and _inside_word(text, in_start):
        in_start += 1
    while in_end > start and _inside_word(text, in_end):
        in_end -= 1
    windows = [(out_start, out_end), (in_start, out_end), (out_start, in_end), (in_start, in_end)]
    return (window for window in windows if window[0] < window[1])


def _claims(text: str) -> tuple[list[str], int]:
    numbers = [number.replace(",", "") for number in _NUMBER.findall(text)]
    return numbers, len(_NEGATION.findall(text))
