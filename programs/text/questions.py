"""Whether a text asks something, and whether a question names what its passage is about."""

import re
from functools import lru_cache

from programs.text.words import content, is_english, tokens

MARKS = "?？؟"
"""Question marks: Latin and Cyrillic, Chinese and Japanese, Arabic."""
FEWEST = 2
BEGINNING = 6
"""Words with the same BEGINNING letters are one: calibrate and calibration."""

_IMPERATIVE = re.compile(
    r"(?:^|[.;:]\s+)(?:please\s+)?(?:explain|describe|compare|discuss|estimate|calculate|derive|suggest|propose|outline|"
    r"justify|interpret|evaluate|assess|predict|show|tell me|give|state|name|list|walk me through|help me)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(rf"[.!{MARKS}。！۔]+(?=[\s\"')\]]|$)|[。！？]")


def asks(text: str) -> bool:
    """Whether some sentence of `text` is a question or a request."""
    # Greek asks with the sign that is a semicolon elsewhere (and in NFC): at the end of a text it can be nothing else.
    return any(mark in text for mark in MARKS) or text.rstrip()[-1:] == ";" or _IMPERATIVE.search(text) is not None


def only_asks(text: str) -> bool:
    """Whether `text` has no sentence but questions."""
    if not any(mark in text for mark in MARKS):
        return False
    ends = _SENTENCE_END.findall(text.strip())
    return bool(ends) and all(set(end) & {*MARKS} for end in ends) and text.strip()[-1] in f"{MARKS}\"')]"


def why_off_topic(question: str, passage: str) -> str | None:
    """Why `question` is not about `passage`, or None when it may be.

    "Can you explain further?" leans on no source, and cannot be answered: a question must share FEWEST content words (or
    numbers) with its passage, if English, or all that it has. It may do so by chance.
    """
    source = _beginnings(passage)
    if source is None:
        return None
    asked = {word[:BEGINNING] for word in content(tokens(question))}
    if not asked:
        return "is about nothing: it has no words of content"
    if len(asked & source) < min(FEWEST, len(asked)):
        return "is not about the passage: it names nothing of it"
    return None


# A passage is looked at again for each of its questions and each try at one, and its words are many.
@lru_cache(maxsize=64)
def _beginnings(passage: str) -> frozenset[str] | None:
    """The content of an English passage; None for another."""
    words = tokens(passage)
    return frozenset(word[:BEGINNING] for word in content(words)) if is_english(words) else None
