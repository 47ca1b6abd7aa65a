"""Whether two sentences that are nearly the same text say the same thing.

They do where the words that carry sense stand in the same order and none is replaced. What may differ is inflection, a few
words that only join others (MAY_DIFFER), punctuation, and markup. Everything else counts, small words too: "less" for
"more", "to" for "from" and "A" for "B" turn a finding round, and two names that change places turn it round without a new
word. A misspelling counts as another word: no rule can tell it from one.
"""

from __future__ import annotations

import re

from programs.checks.words import stem

_JOINING = """
    a an the this that these those which who is are was were be been being has have had do does did it and of in on at
    also then so thus therefore hence
"""
MAY_DIFFER = frozenset(_JOINING.split())
"""Words in whose place another of them, or none, may stand."""

_MARKUP = re.compile(r"</?(?:i|b|em|strong|sub|sup)>|\\(?:text|math)[a-z]*(?![a-z])|\\(?:emph|rm|bf|it)\b")
_GROUPING = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[^\w\s.,;:!?()\[\]{}\"'“”‘’*$\\–—-]")


def same_words(one: str, other: str) -> bool:
    """Whether both have the same words of sense in the same order. Symmetric."""
    return _sense(one) == _sense(other)


def _sense(text: str) -> list[str]:
    plain = _GROUPING.sub("", _MARKUP.sub(" ", text.lower().replace("’", "'").replace("n't", " not")))
    return [stem(word) for word in _WORD.findall(plain) if word not in MAY_DIFFER]
