"""Which way a sentence says that something goes: up, down, better, worse, no different; with or without significance.

Each clause (`programs.checks.clauses`) makes one statement by the words of `direction_words`: a set of worlds in which it
is true (`programs.checks.worlds`). "increased" is every world with up; "improved" every one with better, up or down; "no
difference" NONE alone; "no significant difference" NONE and all that is not significant; "did not increase" every world
without up. So "increased" and "improved" do not contradict each other, "increased" and "unchanged" do; "lower, but not
significantly" contradicts "significantly lower" and not "lower".

    negators     reach eight words, to a comma or the clause's end at most
    in a row     of two cues at most three words apart the first turns the second: "less improvement", "reduced impairment";
                 so does a noun a comparative after it: "the reduction in pain was smaller"
    significance "significant" anywhere in the clause; else its p-values, if all are below 0.05 or none is
    references   a clause that only says of "the difference", or of a difference "between" two, that there is none that is
                 significant qualifies the one before it
    ellipsis     "but not in B" says that there is nothing significant about B

A sentence that asks or supposes (`OPEN`) says nothing; nor does a clause whose cues exclude each other, "more" and "less"
without a comparison, a bound ("more than 20"), or a purpose ("to reduce").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from programs.checks import direction_words as lexicon
from programs.checks.clauses import clauses, is_ellipsis, outside_brackets
from programs.checks.words import content
from programs.checks.worlds import (
    BETTER,
    DOWN,
    EVERY,
    NONE,
    NOT_SIGNIFICANT,
    SIGNIFICANT,
    UP,
    WORSE,
    together,
)

REACH = 8
IN_A_ROW, IN_A_SENTENCE = 3, 10
LEVEL = 0.05
"""The level below which a p-value counts as significant."""

_KIND = {
    word: kind
    for kind, words in (
        (UP, lexicon.UP),
        (DOWN, lexicon.DOWN),
        (BETTER, lexicon.BETTER),
        (WORSE, lexicon.WORSE),
    )
    for word in words
}
_DEGREES = frozenset({"more", "less"})
_COMPARISONS = frozenset({"than", "versus", "vs", "compared"})
_OF = (["in"], ["of"])
_TOPIC = frozenset({"in", "of", "for", "regarding", "concerning"})
_BACK = frozenset({"not", "difference", "differences"})
_P_VALUE = re.compile(r"[01]?\.[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Statement:
    """`worlds`: those in which it is true. `words`: the stems it is about. `cues`: the words that say which way."""

    worlds: int
    words: frozenset[str]
    cues: tuple[str, ...]


@dataclass(slots=True)
class _Way:
    """A cue's direction: the place of its last word, and whether it is denied."""

    place: int
    kind: int
    denied: bool


def statements(tokens: Sequence[str]) -> list[Statement]:
    """What a sentence, given as its tokens, says about directions, in order; nothing: none."""
    if not lexicon.OPEN.isdisjoint(tokens) or "?" in tokens:
        return []
    if lexicon.CUES.isdisjoint(tokens) and _by_p_values(tokens) is None:
        return []
    found: list[Statement] = []
    for clause in clauses(tokens):
        read = _read(clause)
        if read is None:
            continue
        if found and not read.worlds & SIGNIFICANT and _refers_back(clause):
            before = found.pop()
            both = before.worlds & read.worlds
            read = Statement(both or read.worlds, before.words | read.words, before.cues + read.cues)
        found.append(read)
    return found


def _read(clause: list[str]) -> Statement | None:
    about = content(clause) - _CUE_STEMS
    if is_ellipsis(clause):
        return Statement(NOT_SIGNIFICANT, about, tuple(clause[:2]))
    plain = outside_brackets(clause)
    ways: list[_Way] = []
    significant = different = None
    reach = -1
    cues = []
    for place, token in enumerate(plain):
        if token in lexicon.NEGATORS:
            if plain[place + 1 : place + 2] and plain[place + 1] not in lexicon.NOT_NEGATED:
                reach = len(plain) if plain[place + 1] == "evidence" else place + REACH
                cues.append(token)
            continue
        if token in ",:.":
            reach = -1
        if token not in lexicon.CUES or not _says_which_way(plain, place):
            continue
        denied = place <= reach or plain[place - 1 : place] == ["non"]
        cues.append(token)
        if token in lexicon.SIGNIFICANT:
            significant = not denied if significant is None or denied else significant
        elif token in lexicon.INSIGNIFICANT:
            significant = False
        elif token in lexicon.SAME:
            different = denied
        elif token in lexicon.DIFFERENT:
            different = not denied if different is None or denied else different
        elif ways and _qualifies(plain, ways[-1].place, place):
            last = ways[-1]
            ways[-1] = _Way(place, together(last.kind, _KIND[token]), last.denied or denied)
        else:
            ways.append(_Way(place, _KIND[token], denied))
    measured = _by_p_values(clause)
    significant = measured if significant is None else significant
    different = True if measured and different is None else different
    worlds = _worlds(ways, significant, different, not lexicon.VARIES.isdisjoint(plain))
    return None if worlds is None else Statement(worlds, about, tuple(cues))


_CUE_STEMS = content(sorted(lexicon.CUES | lexicon.NEGATORS))


def _worlds(ways: list[_Way], significant: bool | None, different: bool | None, varies: bool) -> int | None:
    """The worlds of all that a clause says; None: it says nothing, or things that exclude each other."""
    if different is False:
        return NONE if significant is None else NOT_SIGNIFICANT
    if not ways:
        if significant is False:
            return NOT_SIGNIFICANT
        if significant:
            return SIGNIFICANT if different else None
        return EVERY & ~NONE if varies else None
    worlds, denied = EVERY, False
    for way in ways:
        denied |= way.denied
        excluded = way.kind if significant is None else way.kind & SIGNIFICANT
        worlds &= EVERY & ~excluded if way.denied else way.kind
    if significant is not None and not denied:
        worlds &= SIGNIFICANT if significant else NOT_SIGNIFICANT
    return worlds or None


def _qualifies(plain: list[str], first: int, second: int) -> bool:
    """Whether two cues make one: in a row, or a noun and the comparative that is said of it."""
    if second - first <= IN_A_ROW:
        return True
    said_of = plain[second] in lexicon.COMPARATIVES and plain[first + 1 : first + 2] in _OF
    return said_of and second - first <= IN_A_SENTENCE


def _says_which_way(plain: list[str], place: int) -> bool:
    """Whether a cue is more than part of "more than 20", "a more detailed comparison" or "in order to reduce"."""
    word, following = plain[place], plain[place + 1 : place + 3]
    if word in lexicon.COMPARATIVES and following[:1] == ["than"] and following[-1][-1].isdigit():
        return False
    if word == "longer" and plain[place - 1 : place] == ["no"]:
        return False
    if word in _DEGREES:
        return not _COMPARISONS.isdisjoint(plain)
    if plain[place - 1 : place] == ["to"] and word in lexicon.INFINITIVES:
        return not lexicon.FOUND.isdisjoint(plain[max(0, place - 4) : place - 1])
    return True


def _refers_back(clause: list[str]) -> bool:
    """Whether a clause speaks of the difference that the one before it stated: "..., but not significantly", "..., with no
    difference between groups"."""
    words = [word for word in clause if word != ","]
    if is_ellipsis(words):
        return False
    if words and words[0] in lexicon.BREAKS and not _BACK.isdisjoint(words[:7]):
        return True
    return "between" in words and _TOPIC.isdisjoint(words[: words.index("between")])


def _by_p_values(clause: Sequence[str]) -> bool | None:
    """Whether the p-values are below the level; None where there is none, or some are and some are not."""
    found = set()
    for name, sign, value in zip(clause, clause[1:], clause[2:], strict=False):
        if name == "p" and sign in "<=>≤≥" and _P_VALUE.fullmatch(value):
            size = float(value)
            if sign in "<≤=":
                found.add(size < LEVEL or (sign == "<" and size == LEVEL))
            elif size >= LEVEL:
                found.add(False)
    return found.pop() if len(found) == 1 else None
