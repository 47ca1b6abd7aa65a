"""Whether a quote contradicts a claim, by rules over directions, negations and opposite words.

The claim's statement and the quote's are those that share the most words. They contradict each other

    by direction   when they are true in no common world (`programs.checks.direction`)
    by negation    when they are nearly the same words, and a word is denied in one of them alone
    by opposites   when they are nearly the same words, but for a word and its opposite ("towards fainter targets")

Two turns cancel: "larger for bright targets" does not contradict "smaller for faint ones". A comparison is read in the
claim's order: for "A raised it compared with B", a quote that says it of B compared with A is turned about first, and one
that names the control alone says nothing.

What the rules cannot see: that two sentences with the same words speak of different times, samples or conditions; and
most contradictions in other words.
"""

from __future__ import annotations

from functools import cached_property
from itertools import permutations

from programs.checks.comparison import Sides, order, sides
from programs.checks.direction import Statement, statements
from programs.checks.direction_words import BREAKS, CUES, NEGATORS, NOT_NEGATED, OPEN, OPPOSITES
from programs.checks.words import content, stem, tokens
from programs.checks.worlds import turned

NEARLY_THE_SAME = 0.75
"""Share of the claim's content words that the quote must have for the rules of negation and opposites."""

FEWEST_WORDS = 3
"""Content words that the two must have in common for these rules."""

REACH_OF_DENIAL = 4
REACH_OF_CUE = 6
"""In words, in both directions."""
_OPPOSITES: dict[str, set[str]] = {}
for _pair in OPPOSITES:
    for _one, _other in permutations(sorted(_pair)):
        _OPPOSITES.setdefault(stem(_one), set()).add(stem(_other))


class Sentence:
    """A sentence, read as far as it is needed."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.content = content(self.tokens)

    @cached_property
    def open(self) -> bool:
        """Whether it asks or supposes, and so asserts nothing."""
        return "?" in self.tokens or not OPEN.isdisjoint(self.tokens)

    @cached_property
    def statements(self) -> list[Statement]:
        return statements(self.tokens)

    @cached_property
    def denied(self) -> frozenset[str]:
        """The stems that a negator denies, where it denies no direction."""
        found: list[str] = []
        if NEGATORS.isdisjoint(self.tokens):
            return frozenset()
        for place, token in enumerate(self.tokens):
            if token not in NEGATORS or set(self.tokens[place + 1 : place + 2]) & NOT_NEGATED:
                continue
            reached = []
            for word in self.tokens[place + 1 : place + 1 + REACH_OF_DENIAL]:
                if word in ",.:" or word in BREAKS:
                    break
                reached.append(word)
            if CUES.isdisjoint(reached):
                found += reached
        return content(found)

    @cached_property
    def near_cues(self) -> frozenset[str]:
        """The stems near a cue of direction: they say what it is that goes up."""
        if CUES.isdisjoint(self.tokens):
            return frozenset()
        cues = [place for place, token in enumerate(self.tokens) if token in CUES]
        return content(
            [token for cue in cues for token in self.tokens[max(0, cue - REACH_OF_CUE) : cue + REACH_OF_CUE + 1]]
        )

    @cached_property
    def sides(self) -> Sides:
        return sides(self.tokens)


def contradiction(claim: Sentence, quote: Sentence) -> str | None:
    """Why the quote contradicts the claim, in words; None: the rules see nothing."""
    near = len(claim.content & quote.content) >= max(FEWEST_WORDS, NEARLY_THE_SAME * len(claim.content))
    both = claim.statements and quote.statements
    if not (near or both) or claim.open or quote.open:
        return None
    clash = _clash(claim, quote) if both else None
    opposite = _opposite(claim, quote)
    difference = opposite or (_denial(claim, quote) if near else None)
    if clash is not None:
        return None if difference else clash
    return difference if near else None


def _clash(claim: Sentence, quote: Sentence) -> str | None:
    best, pair = 0, None
    for said in claim.statements:
        about = said.words - claim.sides.alone or said.words
        close = about & claim.near_cues
        for found in quote.statements:
            if (shared := len(about & found.words) + len(close & found.words)) > best:
                best, pair = shared, (said, found)
    if pair is None:
        return None
    said, found = pair
    compared = order(claim.sides, quote.sides, quote.tokens)
    if compared == "other":
        return None
    worlds = turned(found.worlds) if compared == "turned" else found.worlds
    if said.worlds & worlds:
        return None
    return f'claim: "{" ".join(said.cues)}", quote: "{" ".join(found.cues)}"'


def _denial(claim: Sentence, quote: Sentence) -> str | None:
    """A word denied in one of them alone."""
    for word in sorted((claim.denied ^ quote.denied) & claim.content & quote.content):
        return f'"{word}" is denied in {"the claim" if word in claim.denied else "the quote"} alone'
    return None


def _opposite(claim: Sentence, quote: Sentence) -> str | None:
    """A word in the place of its opposite."""
    for word in sorted(claim.content - quote.content):
        for other in sorted(_OPPOSITES.get(word, set()) & quote.content - claim.content):
            return f'claim: "{word}", quote: "{other}"'
    return None
