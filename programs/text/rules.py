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


def table(lines: str, flags: int = 0) -> tuple[Rule, ...]:
    """Rules, one a line: its fields with " | " between them, and commas between its parts."""
    fields = (line.split(" | ") for line in lines.strip("\n").split("\n"))
    return tuple(
        Rule(reason, tuple(parts.split(",")), re.compile(pattern, flags), *forgiven)
        for reason, parts, pattern, *forgiven in fields
    )


def applicable(rules: Iterable[Rule], text: str) -> list[Rule]:
    """The rules of which the text holds a part: no other finds anything, and a pattern takes a hundred times as long."""
    small = text.lower()
    return [each for each in rules if any(map(small.__contains__, each.parts))]
