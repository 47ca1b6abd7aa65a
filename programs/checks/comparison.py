"""What a sentence compares with what, and whether two sentences compare the same things in the same order.

"than B", "compared with B", "relative to B", "versus B" name what something is compared with, up to a comma, a cue of
direction or a new clause. What is compared stands before it, or, where the comparison leads ("Compared with B, A raises
C"), between it and the first cue. Words that both sides have tell nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from programs.checks.clauses import outside_brackets
from programs.checks.direction_words import BREAKS, CONTROLS, CUES
from programs.checks.words import content_stem, stem

_INTRODUCING = {"than": 1, "versus": 1, "vs": 1, "against": 1} | dict.fromkeys(
    ("compared", "comparison", "relative", "superior", "inferior", "similar", "comparable", "equivalent", "identical"),
    2,
)
"""Words that introduce what something is compared with, and how many words each has with its preposition."""

_NO_COMPARISON = frozenset({"rather", "other"})
_GROUPS = frozenset({"group", "groups", "arm", "arms", "patient", "patients", "received", "receive", "receiving"})
_TREATED = frozenset({"intervention", "treatment", "treated", "experimental"})
_EVERY = frozenset({"both", "all", "each", "either"})
_BEFORE = frozenset({"baseline", "pretreatment", "before"})
_FROM_BEFORE = frozenset(map(stem, _BEFORE))

Order = Literal["same", "turned", "other"]


@dataclass(frozen=True, slots=True)
class Sides:
    """The words of what is compared, and those of what it is compared with (None: nothing is said of it). `leads`: the
    comparison comes first, so that the words of both are those of the two sides alone."""

    one: frozenset[str]
    other: frozenset[str] | None
    leads: bool = False

    @property
    def alone(self) -> frozenset[str]:
        """Words that name a side, and say nothing of what is compared in it."""
        return self.of_other | self.one if self.leads else self.of_other

    @property
    def of_one(self) -> frozenset[str]:
        """What tells the first side from the second."""
        return self.one - self.other if self.other is not None else self.one

    @property
    def of_other(self) -> frozenset[str]:
        """What tells the second side from the first."""
        return frozenset() if self.other is None else self.other - self.one


def sides(words: Sequence[str]) -> Sides:
    """The sides of the first comparison in a sentence or clause."""
    depth = 0
    for place, word in enumerate(words):
        depth += (word in "([") - (word in ")]")
        start = place + _INTRODUCING.get(word, 0)
        if depth or start == place or not _compares(words, place, start):
            continue
        start += words[start : start + 1] == ["."]
        end = _end(words, start)
        leads = CUES.isdisjoint(words[:place])
        rest = words[end : _first_cue(words, end)] if leads else [*words[:place], *words[end:]]
        return Sides(_names(rest), _names(words[start:end]), leads)
    return Sides(_names(words), None)


def order(claim: Sides, quote: Sides, words: Sequence[str]) -> Order:
    """How the quote, of these words, compares what the claim compares: in the same order, turned about, or something
    else: one side over time, or the control alone. A claim without a comparison has any order."""
    if claim.other is None:
        return "same"
    said = frozenset(outside_brackets(words))
    if quote.other is not None:
        if quote.other & _FROM_BEFORE and not claim.other & _FROM_BEFORE:
            return "other"
        if quote.of_one & CONTROLS and quote.of_other & _TREATED and not claim.of_one & CONTROLS:
            return "turned"
        return "turned" if len(claim.of_one & quote.of_other) > len(claim.of_other & quote.of_other) else "same"
    if "between" in said:
        return "same"
    if said & _BEFORE and not claim.other & _FROM_BEFORE:
        return "other"
    if (said & CONTROLS and not said & _TREATED) or (said & _EVERY and said & _GROUPS):
        return "other"
    return "turned" if claim.of_other & quote.one and not claim.of_one & quote.one else "same"


def _compares(words: Sequence[str], place: int, start: int) -> bool:
    if start == place + 2 and words[place + 1 : place + 2] not in (["with"], ["to"]):
        return False
    following = words[start : start + 1]
    return not (following and following[0][-1].isdigit()) and _NO_COMPARISON.isdisjoint(
        words[max(0, place - 1) : place]
    )


def _end(words: Sequence[str], start: int) -> int:
    """Where the second side of a comparison ends."""
    depth = 0
    for place in range(start, len(words)):
        word = words[place]
        if word in ")]" and not depth:
            return place
        depth += (word in "([") - (word in ")]")
        if not depth and (word in ",.:" or word in BREAKS or word in CUES):
            return place
    return len(words)


def _first_cue(words: Sequence[str], start: int) -> int:
    return next((place for place in range(start, len(words)) if words[place] in CUES), len(words))


def _names(words: Sequence[str]) -> frozenset[str]:
    """What tells the sides apart; single letters too ("group L")."""
    stems = (content_stem(word) or (word if len(word) == 1 and word.isalpha() else None) for word in words)
    return frozenset(
        stem for word, stem in zip(words, stems, strict=True) if stem and word not in _GROUPS and word not in CUES
    )
