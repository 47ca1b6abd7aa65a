"""A sentence cut into clauses of which each says one thing about a direction.

It is cut at semicolons and words such as "but" (`direction_words.BREAKS`), and at commas and "and" wherever both sides have
a cue: "mass and spin increase" stays whole, "mass increases and spin decreases" does not. What stands in brackets is never
cut, and has no cues.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from programs.checks.direction_words import BREAKS, CUES, NEGATORS

_MAY_CUT = frozenset({",", "and", "—"})


def outside_brackets(tokens: Iterable[str]) -> list[str]:
    """The tokens that stand in no brackets."""
    depth, found = 0, []
    for token in tokens:
        if token in "([":
            depth += 1
        elif token in ")]":
            depth = max(0, depth - 1)
        elif not depth:
            found.append(token)
    return found


def is_ellipsis(clause: Sequence[str]) -> bool:
    """Whether a clause only takes something out of the one before it: "but not in B"."""
    return clause[:1] == ["but"] and not NEGATORS.isdisjoint(clause[1:2]) and CUES.isdisjoint(clause)


def clauses(tokens: Sequence[str]) -> list[list[str]]:
    """The tokens of each clause. What has no cue goes with what follows it, or, at the end, with what was before."""
    depth = 0
    parts: list[list[str]] = [[]]
    for token in tokens:
        depth = max(0, depth + (token in "([") - (token in ")]"))
        if not depth and (token in BREAKS or token in _MAY_CUT):
            parts.append([])
        parts[-1].append(token)
    whole: list[list[str]] = []
    waiting: list[str] = []
    for part in parts:
        if is_ellipsis(part) and whole:
            whole[-1] += waiting
            waiting = []
            whole.append(part)
            continue
        waiting += part
        if not CUES.isdisjoint(outside_brackets(part)):
            whole.append(waiting)
            waiting = []
    if waiting and whole:
        whole[-1] += waiting
    return whole or [waiting]
