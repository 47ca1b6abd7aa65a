"""Phrases that a text must not have, found by rules over words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """text[start:end] is `phrase`; `reason` is what its rule says of it."""

    phrase: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and an expression for what forgives it where that comes first, in the text or in what is given with it;
    `{noun}` in it stands for what the pattern's group of that name matched. Whatever the pattern finds holds one of
    `parts`, in small letters: looking for these first takes a tenth of the time."""

    reason: str
    parts: tuple[str, ...]
    pattern: re.Pattern[str]
    introduced_by: str | None = None


def rule(reason: str, parts: str, pattern: str, introduced_by: str | None = None) -> Rule:
    """A rule for which case does not matter, and `^` is the beginning of a line. `parts` has spaces between them."""
    return Rule(reason, tuple(parts.split()), re.compile(pattern, re.IGNORECASE | re.MULTILINE), introduced_by)


def faults(rules: Iterable[Rule], text: str, given: str = "") -> list[Fault]:
    """What the rules find in `text`, in order and without overlap. `given` is what its reader has besides: what stands
    there in the same words is no fault."""
    said, small = given.lower(), text.lower()
    hits = [
        Fault(match[0], match.start(), match.end(), each.reason)
        for each in rules
        if any(part in small for part in each.parts)
        for match in each.pattern.finditer(text)
        if not (match[0].lower() in said or _introduced(each, match, f"{given}\n{text[: match.start()]}"))
    ]
    kept: list[Fault] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


def _introduced(each: Rule, match: re.Match[str], before: str) -> bool:
    if each.introduced_by is None:
        return False
    noun = re.escape(match.groupdict().get("noun") or "")
    return re.search(each.introduced_by.replace("{noun}", noun), before, re.IGNORECASE) is not None
