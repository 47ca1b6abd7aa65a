"""A passage with one finding altered, and whether a text made from it follows.

    number      one that stands in the passage and in what the trace says, with at least two digits or a known unit, in
                neither the question nor the title; no year. Every place of it in the passage gets another: as many digits
                and decimals, the same sign, unit and zeros, half to twice as large or a little beyond, a share never above
                1. Of several, one of the answer comes first, then the one with the most digits, then the first.
    direction   where there is no such number: one side of a pair (`direction_pairs`), which the trace says; nothing of the
                other side stands in the passage or the trace, nothing of either in the question or the title, and no form
                in a phrase where it tells no direction ("no longer", "as described above": `FIXED`). Every form of it
                becomes the other side's. Of several pairs, the one that comes first in the passage.

    followed    the new one appears, the old one does not       ignored   the old one appears, the new one does not
    unclear     both appear, or neither

Numbers appear as `programs.checks.numbers` compares them: by value in the base unit, percent as shares, rounded as a claim
may round; a single digit only with its unit. Of a direction every form of the pair's word appears, whatever is denied. A
finding retold in other words is not seen and leaves the outcome unclear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from programs.checks.direction_pairs import FIXED, PAIRS
from programs.checks.numbers import Number, numbers

Outcome = Literal["followed", "ignored", "unclear"]

FEWEST_DIGITS = 2
_DIGITS = re.compile(
    r"(?<![\w.,^_{/])(?<!\^-)(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?![\w^{⁰¹²³⁴-⁹⁻]|\s*\^|[.,][0-9])"
)
_USUAL = frozenset({"0.05", "0.01", "0.001", "50", "68", "90", "95", "99", "100"})
"""Levels and shares that stand in many texts: nothing becomes one of them."""
_YEAR = re.compile(r"1[5-9][0-9]{2}|20[0-9]{2}")

# Per variant: what becomes of the first significant digit, which keeps the size plausible, and of the others.
_VARIANTS = (
    (str.maketrans("123456789", "235634556"), str.maketrans("123456789", "987684321")),
    (str.maketrans("123456789", "342278967"), str.maketrans("123456789", "234567891")),
)

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Alteration:
    """`text` is the altered passage, in which `new` stands where `old` stood: at `places`, offsets in the passage as it
    was. `olds` and `news` are what to look for: the numbers, or the words."""

    kind: Literal["number", "direction"]
    old: str
    new: str
    places: tuple[int, ...]
    text: str
    olds: tuple[Number, ...] | tuple[str, ...]
    news: tuple[Number, ...] | tuple[str, ...]


def altered(passage: str, thought: str, answer: str, fixed: str) -> Alteration | None:
    """The passage with one finding altered that the trace uses, or None where there is none. `fixed` is what stays as it
    is and is shown beside the passage: the question and the title."""
    return _number(passage, thought, answer, fixed) or _direction(passage, f"{answer}\n{thought}", fixed)


def appearing(alteration: Alteration, text: str) -> tuple[bool, bool]:
    """Whether the old one appears in a text, and whether the new one does."""
    return _appears(alteration.olds, text), _appears(alteration.news, text)


def outcome_of(old_found: bool, new_found: bool) -> Outcome:
    """What that says of a text made from the altered passage."""
    if old_found == new_found:
        return "unclear"
    return "followed" if new_found else "ignored"


def _appears(wanted: Sequence[Number | str], text: str) -> bool:
    words = frozenset(_WORD.findall(FIXED.sub(" ", text).lower()))
    said = numbers(text) if any(isinstance(each, Number) for each in wanted) else []
    return any(each in words if isinstance(each, str) else _among(each, said) for each in wanted)


def _among(number: Number, said: Sequence[Number]) -> bool:
    """Whether one of what is said is the number, or a rounding of it."""
    return any(_says(one, number) for one in said)


def _says(one: Number, number: Number) -> bool:
    if one.dimension == number.dimension:
        return _near(one, one.size, number.size)
    if "fraction" in (one.dimension, number.dimension) and _near(one, one.size, number.size):
        return True
    bare = one.dimension is None or (number.dimension is None and not number.counted)
    return bare and _long(number.written) and _near(one, one.value, number.value)


def _near(one: Number, wanted: float, found: float) -> bool:
    return abs(wanted - found) <= one.reach(wanted)


def _number(passage: str, thought: str, answer: str, fixed: str) -> Alteration | None:
    before, shown = numbers(passage), numbers(fixed)
    in_answer, in_thought = numbers(answer), numbers(thought)
    for old, starts in _candidates(passage, before, in_answer, in_thought):
        for variant in range(len(_VARIANTS)):
            new = _other(old, variant)
            if new in _USUAL:
                continue
            text = _replaced(passage, old, new, starts)
            after = numbers(text)
            olds, news = _changed(before, after)
            left = any(_among(number, [*shown, *after]) for number in olds)
            there = any(_among(number, [*before, *shown, *in_answer, *in_thought]) for number in news)
            said = any(_among(number, [*in_answer, *in_thought]) for number in olds)
            if said and not left and not there and all(map(_plausible, olds, news)):
                return Alteration("number", old, new, tuple(starts), text, olds, news)
    return None


def _candidates(
    passage: str, before: list[Number], in_answer: list[Number], in_thought: list[Number]
) -> list[tuple[str, list[int]]]:
    """The digits that could be altered, with their places, the best first."""
    places: dict[str, list[int]] = {}
    for match in _DIGITS.finditer(passage):
        places.setdefault(match.group(), []).append(match.start())
    ranked = []
    for old, starts in places.items():
        meant = [number for number in before if re.match(rf"{re.escape(old)}(?![0-9]|[.,][0-9])", number.written)]
        if _YEAR.fullmatch(old) or not (_long(old) or all(number.dimension for number in meant)):
            continue
        answered = any(_among(number, in_answer) for number in meant)
        if answered or any(_among(number, in_thought) for number in meant):
            ranked.append(((not answered, -_digits(old), starts[0]), old, starts))
    return [(old, starts) for _, old, starts in sorted(ranked)]


def _digits(written: str) -> int:
    return sum(sign.isdigit() for sign in written)


def _long(written: str) -> bool:
    return _digits(written) >= FEWEST_DIGITS


def _other(digits: str, variant: int) -> str:
    """Another number of the same form."""
    first, rest = _VARIANTS[variant]
    start = next((at for at, sign in enumerate(digits) if sign in "123456789"), len(digits))
    return digits[:start] + digits[start : start + 1].translate(first) + digits[start + 1 :].translate(rest)


def _changed(before: list[Number], after: list[Number]) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
    """The numbers that became others, and those that they became; none where more became of the text than that."""
    if len(before) != len(after):
        return (), ()
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if old.value != new.value]
    return tuple(old for old, _ in pairs), tuple(new for _, new in pairs)


def _plausible(old: Number, new: Number) -> bool:
    return old.dimension == new.dimension and not (old.dimension == "fraction" and old.size <= 1 < new.size)


def _direction(passage: str, said: str, fixed: str) -> Alteration | None:
    standing: dict[str, list[int]] = {}
    for match in _WORD.finditer(passage):
        standing.setdefault(match.group().lower(), []).append(match.start())
    elsewhere = frozenset(_WORD.findall(" ".join(FIXED.findall(f"{passage}\n{said}")).lower()))
    spoken, shown = (frozenset(_WORD.findall(text.lower())) for text in (said, fixed))
    found = []
    for one, other in ((a, b) for first, second in PAIRS for a, b in ((first, second), (second, first))):
        if spoken & set(one) and not shown & {*one, *other} and not (standing.keys() | spoken) & set(other):
            if elsewhere & set(one):
                continue
            found += [(min(places), word, one, other) for word in one if (places := standing.get(word))]
    if not found:
        return None
    _, old, one, other = min(found)
    new = dict(zip(one, other, strict=True))
    places = sorted(place for word in one for place in standing.get(word, ()))
    words = re.compile(rf"(?:\b(an?)(\s+))?\b({'|'.join(one)})\b", re.IGNORECASE)
    text = words.sub(lambda match: _turned(match, new[match[3].lower()]), passage)
    return Alteration("direction", old, new[old], tuple(places), text, one, other)


def _turned(match: re.Match[str], word: str) -> str:
    """The other word, with the article that it takes."""
    article = "" if match[1] is None else f"{match[1][0]}{'n' if word[0] in 'aeiou' else ''}{match[2]}"
    return f"{article}{_cased(word, match[3])}"


def _cased(word: str, like: str) -> str:
    return word.upper() if like.isupper() else word.capitalize() if like[0].isupper() else word


def _replaced(text: str, old: str, new: str, places: Sequence[int]) -> str:
    parts, end = [], 0
    for place in places:
        parts += [text[end:place], new]
        end = place + len(old)
    return "".join([*parts, text[end:]])
