"""The figures of a text: numbers with their units.

Read are digits ("2,000", ".05", "3.2 × 10^5", "3.2e5", "10⁻³", the same in LaTeX) and words ("seventeen", "two thirds",
"1.2 million", "2 per thousand"). The ends of a range, and a value and its error, are figures of their own.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from programs.text.units import PATTERN, UNITS, unit_named

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: float(value) for value, word in enumerate([*_ONES, *_TEENS], start=1)}
_WORDS |= {word: 20.0 + 10 * place for place, word in enumerate(_TENS)} | {"a": 1.0, "half": 0.5}
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

_NUMBER = re.compile(
    r"(?=[\d.aehnfostAEHNFOST])(?<![\w.])(?:(?P<digits>\d{1,3}(?:[,\u2009\u202f\u00a0]\d{3})+(?:\.\d+)?|\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})(?!\d)"
    r"(?:[eE](?P<e>[-+]?\d{1,2})(?!\w)|\s*[×x*·]\s*10\s*\^\s*\{?(?P<power>[-+]?\d{1,2})\}?|\^\{?(?P<exponent>[-+]?\d{1,2})\}?)?"
    rf"|(?i:(?P<many>{'|'.join(_ONES)})[\s-](?P<parts>{'|'.join(_PARTS)})s(?!\w)"
    rf"|(?:an?|one)[\s-](?P<part>{'|'.join(_PARTS)})(?=\s(?:of|the|as|is|are|was|were|less|more|lower|higher)\b|[.,;:)])"
    rf"|(?P<words>(?:{'|'.join(_TENS)})[\s-](?:{'|'.join(_ONES)})"
    rf"|{'|'.join(sorted(_WORDS.keys() - {'a'}, key=len, reverse=True))}|a(?=\s(?:{'|'.join(_SCALES)})\b))(?!\w)))"
    rf"(?:[\s-]?(?P<scale>{'|'.join(_SCALES)})\b)?(?P<mille>\s?‰|\sper\s(?:mille|thousand)\b|\sin\sa\sthousand\b)?"
    rf"(?:[\s-]?(?P<unit>%|{PATTERN}))?(?=(?P<rest>/|\([A-Z]|\s?per\b|\s?[^\W\d_]+)?)"
)
_SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹⁺⁻]+")
_ON_THE_LINE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_LATEX = {
    r"\%": "%",
    "{,}": ",",
    r"\times": "×",
    r"\cdot": "·",
    r"\pm": "±",
    "−": "-",
    "+/-": "±",
    "$": "",
    "~": " ",
    "\\,": " ",
}
_BRACKETED = re.compile(r"\(([^()]{1,30})\)(?=\s*[×x*·]\s*10\s*\^)")
_NO_NUMBER = re.compile(
    r"(?:\b(?i:figs?|figures?|tables?|sections?|sec|eqs?|equations?|refs?)\.?\s?|\[|[\^_]\{?[-+]?|[A-Z]-)\Z"
)
_CATALOGUE = re.compile(r"\b(?!CI|OR|RR|HR)[A-Z]{2,}\s\Z")
_CITED = re.compile(r"(?:\b[A-Z][\w'’-]+|\bal\.?|&|;),?\s*\(?\Z")
_ABOUT = re.compile(r"(?:\b(?:about|roughly|around|nearly|almost|approximately|some|circa|ca)\.?|[~≈≃∼])\s*\Z", re.I)
_JOINED = re.compile(r"\s*(?:(?P<scaled>-|–|—|to|±)|v|vs\.?|versus)\s*")
_COUNT = re.compile(r"\s(?:out\s)?of\s(?:the\s)?\d")
_P_VALUE = re.compile(r"\b[pP]\s?(?:value\s?)?[=<>≤]\s?\Z")
_JOINING = """
    and or but of in on at to by as if is was were are for from with the than per vs versus that which not so while after
    before against minus plus times over divided points percent
"""
_NO_NOUN = frozenset(_JOINING.split())
"""Words that may follow a number without being what it counts."""


class Figure(NamedTuple):
    """A number as it is `written`. `size` is its value in the base unit of `dimension`, or the value where there is none.
    `reach` is how far another may be from `size` and be what this one is rounded from; `blur` is the same of a decimal, as
    a share. `counted`: a word follows that is no unit. `plain`: small counts, 100 %, the 5 % level and years of citations,
    which are in everybody's speech. `round`: a figure that anybody may guess (30, 250, 0.5, 12, 24), so that a passage that
    holds it too is no sign of where it comes from."""

    written: str
    value: float
    size: float
    reach: float
    dimension: str | None
    blur: float
    digits: int
    counted: bool
    plain: bool
    round: bool


def figures(text: str) -> list[Figure]:
    """The figures of a text, in order; no part of a name, an exponent, a reference or a list marker is one."""
    text = _SUPERSCRIPT.sub(lambda match: "^" + match.group().translate(_ON_THE_LINE), text)
    for latex, plain in _LATEX.items():
        text = text.replace(latex, plain)
    text = _BRACKETED.sub(r"\1", text)
    after: tuple[int, float, str | None] | None = None
    found = []
    for match in reversed([match for match in _NUMBER.finditer(text) if _is_number(text, match)]):
        unit, scale = _unit(text, match), _scale(match)
        if after and (joined := _JOINED.fullmatch(text[match.end() : after[0]])):
            unit = unit or after[2]
            scale = after[1] if scale == 1 and joined["scaled"] else scale
        after = (match.start(), scale, unit)
        found.append(_figure(text, match, unit, scale))
    return found[::-1]


def _is_number(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 16) : match.start()]
    if _NO_NUMBER.search(before) or (re.fullmatch(r"\d{3,}", match.group()) and _CATALOGUE.search(before)):
        return False
    rest, glued = match["rest"] or "", match.end() == match.end("digits")
    marker = before.rpartition("\n")[2].strip(" (") == "" and text[match.end() : match.end() + 2] in (". ", ") ")
    return not match["digits"] or not (glued and (rest.isalnum() or rest.startswith("(") or marker))


def _unit(text: str, match: re.Match[str]) -> str | None:
    """The unit, unless it is the beginning of one that is not known: "mg/day"."""
    compound = (match["rest"] or "").strip() in ("/", "per") or text[match.end() : match.end() + 1] == "^"
    return unit_named(match["unit"]) if match["unit"] and not compound else None


def _scale(match: re.Match[str]) -> float:
    power = 10.0 ** int(match["e"] or match["power"] or 0)
    return power * _SCALES.get((match["scale"] or "").lower(), 1.0) * (1e-3 if match["mille"] else 1.0)


def _figure(text: str, match: re.Match[str], unit: str | None, scale: float) -> Figure:
    before = text[max(0, match.start() - 40) : match.start()]
    digits = re.sub(r"[^\d.]", "", match["digits"] or "")
    significant = digits.replace(".", "").lstrip("0")
    step = 10.0 ** -len(digits.partition(".")[2]) if len(significant) > 1 else 0.0
    value = float(digits) if digits else _in_words(match)
    if match["exponent"] and digits == "10":
        value, step = 10.0 ** int(match["exponent"]), 0.0
    if _ABOUT.search(before):
        step = max(step, min(10.0 ** (len(digits) - len(digits.rstrip("0"))), value / 8) if "." not in digits else step)
    dimension, size = UNITS[unit] if unit else ("fraction" if match["part"] or match["many"] else None, 1.0)
    if unit is None and _P_VALUE.search(before):
        # P = .04 is no share of 4 percent.
        dimension = "p-value"
    rest = (match["rest"] or "").strip()
    noun = len(rest) > 1 and rest.lower() not in _NO_NOUN
    value, factor = value * scale, scale * size
    share = round(value * size, 9) if dimension in (None, "fraction", "p-value") else None
    bare = dimension is None and "." not in digits and not match["exponent"]
    small = (bare and (value <= 12 or value == 10 ** round(math.log10(value))) and scale in (1, 100, 1000)) or (
        match["words"] or ""
    ).lower() == "half"
    cited = bare and len(digits) == 4 and 1500 <= value <= 2100 and _CITED.search(before) is not None
    common = share in (0.0, 0.05, 0.95, 1.0) or (dimension in ("significance", "ratio") and value <= 2)
    return Figure(
        written=match.group(),
        value=value,
        size=value * size,
        reach=step * factor / 2 + abs(value * size) * 1e-9,
        dimension=dimension,
        digits=len(significant.rstrip("0") if "." not in digits else significant),
        blur=step / 2 / (value / scale) if "." in digits and value else 0.0,
        counted=unit is None and (noun or before.endswith("out of ") or _COUNT.match(text, match.end()) is not None),
        plain=small or cited or common,
        round=_is_round(float(digits) if digits else value, "." in digits),
    )


def _is_round(value: float, decimal: bool) -> bool:
    """One significant digit; without a decimal point also halves of it (15, 250), a dozen, and a day's hours."""
    mantissa = round(value / 10 ** math.floor(math.log10(value)), 9) if value else 1.0
    return mantissa % 1 == 0 or (not decimal and (mantissa * 2 % 1 == 0 or mantissa in (1.2, 2.4)))


def _in_words(match: re.Match[str]) -> float:
    if match["part"]:
        return 1 / _PARTS[match["part"].lower()]
    if match["many"]:
        return _WORDS[match["many"].lower()] / _PARTS[match["parts"].lower()]
    return sum(_WORDS[word] for word in re.split(r"[\s-]", match["words"].lower()))
