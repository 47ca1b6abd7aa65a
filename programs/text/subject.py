"""Whether a question names what its passage is about.

"Can you explain further?" leans on no source that could be named, and cannot be answered either: whoever has only the
question does not know what it is about. A question must share FEWEST content words (or numbers) with its passage, or
all that it has where it has fewer. Words with the same BEGINNING letters are one: calibrate and calibration.

The rule compares words, so it holds only where both are in one language: it is silent unless the passage is English.
It asks little, since a good question may be put in other words than the passage's; it does not tell a question that
happens to share two words from one that is to the point.
"""

from functools import lru_cache

from programs.text.language import is_english
from programs.text.words import content, tokens

FEWEST = 2
BEGINNING = 6


def strays(question: str, passage: str) -> str | None:
    """Why `question` is not about `passage`, or None when it may be."""
    source = _beginnings(passage)
    if source is None:
        return None
    asked = _cut(tokens(question))
    if not asked:
        return "is about nothing: it has no words of content"
    if len(asked & source) < min(FEWEST, len(asked)):
        return "is not about the passage: it names nothing of it"
    return None


# The seven questions of a passage are looked at one after another, and a passage's words are many.
@lru_cache(maxsize=64)
def _beginnings(passage: str) -> frozenset[str] | None:
    """The content of an English passage; None for another."""
    return _cut(tokens(passage)) if is_english(passage) else None


def _cut(words: list[str]) -> frozenset[str]:
    return frozenset(word[:BEGINNING] for word in content(words))
