"""Whether a text is English: rules over English words are silent about others."""

from programs.text.words import tokens

_ENGLISH = frozenset({"the", "of", "and", "is", "are", "was", "were", "that", "with"})
FEWEST = 3
"""So many different ones of the commonest English words no other language has by chance."""


def is_english(text: str) -> bool:
    """Whether a text of a few sentences or more is English."""
    return len(_ENGLISH.intersection(tokens(text))) >= FEWEST
