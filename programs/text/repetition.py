"""Text that says nothing, or says it again and again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TypeVar

REPEATED_LIMIT = 0.30
FEWEST_WORDS = 20
# Equations are mostly signs; prose about them is not.
LETTER_SHARE = 0.20
FEWEST_SIGNS = 30

T = TypeVar("T")

_WORD = re.compile(r"\w+")
_CHARACTER_RUN = re.compile(r"([^\W_])\1{14,}")
# Commas between the words make a list or a vector, "(0, 0, 0)", so the short run allows only space.
_WORD_RUN = re.compile(r"\b([^\W\d_]{2,})(?:\s+\1\b){2,}|\b(\w+)(?:\W+\2\b){5,}", re.IGNORECASE)
_FENCE = re.compile(r"\A```\w*\s*|\s*```\Z")
_JSON_START = re.compile(r"""\A(?:\{\s*["'][^"'\n]*["']\s*:|\[\s*\{\s*["'])""")
_SCHEMA = re.compile(r'"(?:properties|additionalProperties|\$defs|\$ref)"\s*:|"type"\s*:\s*"(?:string|object|array)"')


def repeated_ngrams(text: str, n: int = 4) -> float:
    """Share, 0 to 1, of the word n-grams that occurred earlier in the text (case is ignored).

    0.0 when there are fewer than n words. Raises ValueError when n is below 1.
    """
    return repeated_share(_WORD.findall(text.lower()), n)


def repeated_share(items: Sequence[T], n: int) -> float:
    """Share, 0 to 1, of the n-grams of `items` that occurred earlier in it."""
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    total = len(items) - n + 1
    if total < 1:
        return 0.0
    return 1.0 - len({tuple(items[i : i + n]) for i in range(total)}) / total


def is_degenerate(text: str) -> str | None:
    """Why `text` is not prose, in a few words, or None when it may be.

    Short answers such as "42" or "3.2 km/s" are not degenerate.
    """
    stripped = text.strip()
    if not stripped:
        return "empty"
    words = _WORD.findall(stripped)
    if not words:
        return "no words"
    if _is_json(stripped):
        return "JSON instead of prose"
    spoken = list(filter(str.isalnum, stripped))
    if (len(spoken) >= 4 and len(set(spoken)) == 1) or _CHARACTER_RUN.search(stripped):
        return "one character repeated"
    lowered = [word.lower() for word in words]
    # The pattern is slow, and matches only where a word stands three times in a row.
    thrice = any(a == b == c for a, b, c in zip(lowered, lowered[1:], lowered[2:], strict=False))
    if thrice and _WORD_RUN.search(stripped):
        return "one word repeated"
    repeated = repeated_share(lowered, 4)
    if len(words) >= FEWEST_WORDS and repeated > REPEATED_LIMIT:
        return f"{repeated:.0%} of its 4-grams repeat"
    signs = "".join(stripped.split())
    if len(signs) >= FEWEST_SIGNS and sum(map(str.isalpha, signs)) < LETTER_SHARE * len(signs):
        return "mostly not letters"
    return None


def _is_json(text: str) -> bool:
    body = _FENCE.sub("", text)
    if _JSON_START.search(body) or _SCHEMA.search(body):
        return True
    if body[:1] not in ("{", "["):
        return False
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    # "[12]" is a citation.
    return isinstance(value, dict) or (isinstance(value, list) and not all(isinstance(v, int | float) for v in value))
