"""What a statement about a direction leaves possible: the set of worlds in which it is true, as bits of a number.

    NONE                                            nothing differs
    (up or down) x (better or worse) x (significant or not)

Two statements contradict each other when they have no world in common.
"""

from __future__ import annotations

NONE = 1
_CHANGES = [(way, worth, sure) for way in "+-" for worth in "+-" for sure in "+-"]
_TURNED = {"+": "-", "-": "+"}


def _where(place: int, sign: str) -> int:
    return sum(2 << index for index, change in enumerate(_CHANGES) if change[place] == sign)


UP, DOWN = _where(0, "+"), _where(0, "-")
BETTER, WORSE = _where(1, "+"), _where(1, "-")
SIGNIFICANT = _where(2, "+")
EVERY = NONE | UP | DOWN
NOT_SIGNIFICANT = EVERY & ~SIGNIFICANT

OPPOSITE = {UP: DOWN, DOWN: UP, BETTER: WORSE, WORSE: BETTER}


def turned(worlds: int) -> int:
    """The same statement with the two things that it compares changed about."""
    result = worlds & NONE
    for index, (way, worth, sure) in enumerate(_CHANGES):
        if worlds & (2 << index):
            result |= 2 << _CHANGES.index((_TURNED[way], _TURNED[worth], sure))
    return result


def together(first: int, second: int) -> int:
    """Two directions of which the first qualifies the second: "less improvement" is worse, "reduced less" is up."""
    kind, other = (first, second) if first in (BETTER, WORSE) else (second, first)
    return OPPOSITE[kind] if other in (DOWN, WORSE) else kind
