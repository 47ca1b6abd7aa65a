"""Rules that look for forms of words, many of them in every text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Rule(NamedTuple):
    """A pattern, and an expression for what forgives it where that comes first, in the text or in what is given with it;
    `{noun}` in it stands for what the pattern's group of that name matched. Whatever the pattern finds holds one of
    `parts`, in small letters."""

    reason: str
    parts: tuple[str, ...]
    pattern: re.Pattern[str]
    introduced_by: str | None = None


def rule(reason: str, parts: str, pattern: str, introduced_by: str | None = None) -> Rule:
    """A rule for which case does not matter, and `^` is the beginning of a line. `parts` has spaces between them."""
    return Rule(reason, tuple(parts.split()), re.compile(pattern, re.IGNORECASE | re.MULTILINE), introduced_by)


def applicable(rules: Iterable[Rule], text: str) -> list[Rule]:
    """The rules of which the text holds a part: no other finds anything. A pattern takes a hundred times as long as its
    parts."""
    small = text.lower()
    return [each for each in rules if any(map(small.__contains__, each.parts))]
