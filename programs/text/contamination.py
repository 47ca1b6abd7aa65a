"""When a text gives away a benchmark's question. Two rules, either of which is enough:

1. an overlap of words, after appendix C of "Language Models are Few-Shot Learners" (Brown et al., 2020; arXiv 2005.14165):
   the text and the benchmark's question share GRAM words in a row, without case and punctuation. There N lies between 8
   and 13 by the length of a benchmark's examples, and what collides with more than 10 documents is taken for a common
   phrase; here a benchmark question of SHORTEST to GRAM - 1 words is one gram of its own length, and a gram that stands
   in more than COMMON of the benchmarks' questions, the frame of a prompt, say, counts for nothing;
2. nearness, of questions alone: the Jaccard similarity of their words (`near_duplicates.features`) is NEAR or more. Numbers
   and negations are not looked at: a question dropped for nothing costs little, a benchmark given away cannot be trusted
   again.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from programs.text.words import runs

GRAM = 13
SHORTEST = 8
COMMON = 10
NEAR = 0.8

FIELDS = ("question", "questionstem", "problem", "query", "prompt", "instruction", "input", "text", "messages")
"""The fields of a benchmark's record in which its question is looked for, without case and separators; the first that
holds words counts."""
FRAMES = ("prompt", "instruction")
"""Of these, where there is an `input` too, either may be the question: both count."""

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['’]")


def words_of(text: str) -> list[str]:
    """The words of a text as grams are made of: compatibility forms unified, no case, no punctuation."""
    return _WORD.findall(_APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold()))


def grams(text: str, lengths: Iterable[int] = (GRAM,)) -> Iterator[int]:
    """A signed 64-bit hash for each run of so many words of a text, in order."""
    words = words_of(text)
    for run in (run for length in lengths for run in runs(words, length)):
        yield int.from_bytes(hashlib.blake2b(" ".join(run).encode(), digest_size=8).digest(), "big", signed=True)


def benchmark_grams(question: str) -> tuple[int, set[int]]:
    """The length of a benchmark question's grams and their hashes; none for a question of fewer than SHORTEST words."""
    length = min(GRAM, len(words_of(question)))
    return length, set(grams(question, (length,))) if length >= SHORTEST else set()


def questions_in(record: Mapping[str, Any]) -> list[str]:
    """The question of a benchmark's record, or what may be it; empty when no field of FIELDS holds one.

    A field is a text, a list of chat messages (what the user says in them), or an object with its `stem` or `text`.
    """
    squeezed = {re.sub(r"[\W_]", "", name.lower()): value for name, value in record.items()}
    texts = {name: text for name in FIELDS if words_of(text := _text(squeezed.get(name)))}
    first = next(iter(texts), None)
    if first in FRAMES and "input" in texts:
        return [texts[first], texts["input"]]
    return [texts[first]] if first else []


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return _text(value.get("stem") or value.get("text") or value.get("content"))
    if isinstance(value, list):
        said = [item for item in value if not isinstance(item, dict) or item.get("role", "user") == "user"]
        return "\n".join(filter(None, map(_text, said)))
    return value if isinstance(value, str) else ""
