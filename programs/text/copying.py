"""How much of a text is copied word for word."""

import re

RUN = 12
"""So many words in a row that both have are copied: names and phrases are shorter."""

_WORD = re.compile(r"\w+")


def copied_share(text: str, source: str) -> float:
    """The share (0-1) of the words of `text` that lie in a run of RUN words or more that `source` has too. Case and
    punctuation do not matter."""
    words, known = _words(text), {*runs(_words(source), RUN)}
    if not words:
        return 0.0
    copied = {
        place for start, run in enumerate(runs(words, RUN)) if run in known for place in range(start, start + RUN)
    }
    return len(copied) / len(words)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def runs(words: list[str], length: int) -> list[tuple[str, ...]]:
    """All runs of so many words, by the place of their first."""
    return [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]
