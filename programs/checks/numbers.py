"""Numbers of a text, and which numbers of a claim stand nowhere in its source.

Read are digits ("2,000", "2 000" with a narrow space, "0.5", ".05"), powers ("3.2 × 10^5", "3.2e5", "10⁻³", the same in
LaTeX), words of scale ("1.2 million") and numbers in words up to ninety-nine. Two numbers are the same

    by value    signs apart, since a minus is a hyphen as often; in one unit, where `units` knows both ("500 mg", "0.5 g")
    in percent  "5 percent" is 0.05, but not "5 galaxies"
    rounded     the claim may round: 6.6 is 6.58; with a single digit only after "about", "roughly" and the like

The ends of a range, and a value and its error, are numbers of their own; a unit after the last belongs to all. Nothing is
read from names ("B12", "HbA1c"), exponents, references ("Fig. 3", "[12]") and list markers. A claim's numbers in words
count only with a unit or a scale: "two explanations" measures nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

from programs.checks.units import PATTERN, UNITS, unit_named


def _words(text: str) -> list[str]:
    return text.split()


_ONES = _words("one two three four five six seven eight nine")
_TEENS = _words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_IN_WORDS = {word: value for value, word in enumerate(["zero", *_ONES, *_TEENS])} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS)
}
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}

_NUMBER = re.compile(
    r"(?=[0-9.zotfsen])(?<![\w.])(?:(?P<digits>[0-9]{1,3}(?:[,\u2009\u202f\u00a0][0-9]{3})+(?:\.[0-9]+)?|[0-9]{1,18}(?![0-9])(?:\.[0-9]{1,18})?(?![0-9])|\.[0-9]{1,18})(?![0-9])"
    r"(?:[eE](?P<e>[-+]?[0-9]{1,2})(?!\w)"
    r"|\s*(?:×|x|\*|·|\\times|\\cdot)\s*10\s*\^\s*\{?(?P<power>[-+]?[0-9]{1,2})\}?"
    r"|\^\{?(?P<exponent>[-+]?[0-2]?[0-9]{1,2})\}?)?"
    rf"|(?P<words>(?:{'|'.join(_TENS)})[\s-](?:{'|'.join(_ONES)})"
    rf"|{'|'.join(sorted(_IN_WORDS, key=len, reverse=True))})(?!\w))"
    rf"(?:[\s-]?(?P<scale>{'|'.join(_SCALES)})\b)?"
    rf"(?:[\s-]?(?P<unit>{PATTERN}))?"
    r"(?=(?P<rest>/|\s?per\b|\s?\w)?)"
)
_SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹⁺⁻]+")
_ON_THE_LINE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_LATEX = re.compile(r"\{,\}|\\%|\\[,;! ]|(?<=[0-9])~")
_UNLATEXED = {"{,}": ",", r"\%": "%"}

_NO_NUMBER = re.compile(
    r"(?:\b(?:figs?|figures?|tables?|sections?|sec|eqs?|equations?|refs?)\.?\s?|\[|[\^_]\{?[-+]?|(?:^|\n)\s*\()\Z", re.I
)
_LIST_MARKER = re.compile(r"(?:^|\n)\s*\Z")
_APPROXIMATELY = re.compile(
    r"(?:\b(?:about|roughly|around|nearly|almost|approximately|some|circa|ca)\.?|[~≈≃∼])\s*\Z", re.I
)
_JOINED = re.compile(r"\s*(?:-|–|—|to|and|or|±|\+/-|,)\s*")
_GROUPING = re.compile(r"[^0-9.]")
LOOK_BACK = 16
EXACT = 1e-9
"""Relative difference up to which two numbers are one."""


class Number(NamedTuple):
    """`value` is without sign and unit. `dimension` is what the unit measures, and `size` the value in that dimension's
    base unit; without a unit None, and the value. `step` is the place of the last digit that a rounded number may be off
    by half of, 0 where none may. `counted`: a word follows that is no unit, as in "12 galaxies". `measured`: it is in
    digits, or has a unit or scale."""

    written: str
    value: float
    step: float
    dimension: str | None
    size: float
    counted: bool
    measured: bool

    def reach(self, wanted: float) -> float:
        """How far another number may be from `wanted`, this one's value or size, and still be what it is rounded from."""
        scale = wanted / self.value if self.value else 1.0
        return self.step * scale / 2 + abs(wanted) * EXACT


class Given:
    """The numbers of a source, to look others up in: `number in given`."""

    def __init__(self, text: str) -> None:
        found = numbers(text)
        self._sizes: dict[str | None, list[float]] = {}
        for number in found:
            self._sizes.setdefault(number.dimension, []).append(number.size)
        for sizes in self._sizes.values():
            sizes.sort()
        self._values = sorted(number.value for number in found)
        self._bare = sorted(number.value for number in found if number.dimension is None and not number.counted)

    def __contains__(self, number: Number) -> bool:
        if number.dimension is None:
            return _near(number, number.value, self._values) or _near(
                number, number.value, self._sizes.get("fraction", [])
            )
        if _near(number, number.size, self._sizes.get(number.dimension, [])) or _near(number, number.value, self._bare):
            return True
        return number.dimension == "fraction" and _near(number, number.size, self._sizes.get(None, []))


def _near(number: Number, wanted: float, among: list[float]) -> bool:
    """Whether one of these, in order, is what a number is, or what it is rounded from."""
    reach = number.reach(wanted)
    place = bisect_left(among, wanted - reach)
    return place < len(among) and among[place] <= wanted + reach


def numbers(text: str) -> list[Number]:
    """The numbers of a text, in order."""
    plain = _plain(text)
    matches = [match for match in _NUMBER.finditer(plain) if _is_number(plain, match)]
    units = [_unit(plain, match) for match in matches]
    found = [_number(plain, match, unit) for match, unit in zip(matches, units, strict=True)]
    for place in range(len(found) - 2, -1, -1):
        gap = plain[matches[place].end() : matches[place + 1].start()]
        unit = units[place + 1]
        if matches[place]["unit"] is None and unit is not None and _JOINED.fullmatch(gap):
            units[place] = unit
            found[place] = _with_unit(found[place]._replace(counted=False), unit)
    return found


def _plain(text: str) -> str:
    """Superscripts, minus signs and LaTeX as the pattern of a number expects them."""
    if not text.isascii():
        text = _SUPERSCRIPT.sub(lambda match: "^" + match.group().translate(_ON_THE_LINE), text).replace("−", "-")
    text = text.replace("$", "")
    if "\\" in text or "~" in text or "{,}" in text:
        text = _LATEX.sub(lambda match: _UNLATEXED.get(match.group(), " "), text)
    return text


def unfound(claim: str, source: Callable[[], Given]) -> list[str]:
    """The numbers of a claim, as it writes them, that are not among those of its source; each once. `source` is called
    only when there is a number to be looked up."""
    measured = [number for number in numbers(claim) if number.measured]
    if not measured:
        return []
    given = source()
    return list(dict.fromkeys(number.written for number in measured if number not in given))


def _is_number(text: str, match: re.Match[str]) -> bool:
    """Whether it is one, and no part of a name or an exponent, no reference and no list marker."""
    before = text[max(0, match.start() - LOOK_BACK) : match.start()]
    if _NO_NUMBER.search(before):
        return False
    if not match["digits"]:
        return True
    glued = (match["rest"] or "").isalnum() and match.end() == match.end("digits")
    marker = _LIST_MARKER.search(before) and re.match(r"[.)]\s", text[match.end("digits") :][:2])
    return not glued and not marker


def _unit(text: str, match: re.Match[str]) -> str | None:
    """The unit, unless it is the beginning of one that is not known: "mg/day"."""
    rest = match["rest"] or ""
    compound = rest == "/" or rest.strip() == "per" or text[match.end() : match.end() + 1] == "^"
    return unit_named(match["unit"]) if match["unit"] and not compound else None


def _number(text: str, match: re.Match[str], unit: str | None) -> Number:
    before = text[max(0, match.start() - LOOK_BACK) : match.start()]
    value, step = (
        _spelled(match["words"]) if match["words"] else _written(match, _APPROXIMATELY.search(before) is not None)
    )
    scale = 10.0 ** _SCALES[match["scale"]] if match["scale"] else 1.0
    rest = match["rest"] or ""
    number = Number(
        written=match.group(),
        value=value * scale,
        step=step * scale,
        dimension=None,
        size=value * scale,
        counted=match["unit"] is None and rest[:1].isspace() and rest.strip().isalpha(),
        measured=bool(match["digits"] or match["unit"] or match["scale"]),
    )
    return number if unit is None else _with_unit(number, unit)


def _with_unit(number: Number, unit: str) -> Number:
    dimension, size = UNITS[unit]
    return number._replace(dimension=dimension, size=number.value * size)


def _spelled(words: str) -> tuple[float, float]:
    return float(sum(_IN_WORDS[word] for word in re.split(r"[\s-]", words))), 0.0


def _written(match: re.Match[str], approximate: bool) -> tuple[float, float]:
    """The value of a number in digits, and the place of its last digit if it may be rounded."""
    plain = _GROUPING.sub("", match["digits"])
    power = int(match["e"] or match["power"] or 0)
    if match["exponent"] and plain == "10":
        return 10.0 ** int(match["exponent"]), 0.0
    significant = plain.replace(".", "").lstrip("0")
    last = -len(plain.partition(".")[2])
    if approximate and not last:
        last = len(significant) - len(significant.rstrip("0"))
    may_round = approximate or len(significant) > 1
    return float(f"{plain}e{power}"), 10.0 ** (last + power) if may_round else 0.0
