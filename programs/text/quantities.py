"""The quantities of a text: numbers with their units, so that "500 mg" and "0.5 g" are one amount.

Read are digits ("2,000", ".05", "3.2 × 10^5", "3.2e5", "10⁻³", the same in LaTeX) and words ("seventeen", "two thirds",
"1.2 million", "2 per thousand"). The ends of a range, and a value and its error, are quantities of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from programs.text.short_answers import SCALES, on_the_line

_TABLE = """
    fraction: % percent per-cent pct percentage-point percentage-points =0.01
    ratio: times fold sigma σ standard-deviation standard-deviations =1
    magnitude: mag magnitude magnitudes =1
    decade: dex order-of-magnitude orders-of-magnitude =1
    time: s sec second seconds =1; ms msec millisecond milliseconds =0.001; min minute minutes =60; h hr hour hours =3600
    time: d day days =86400; week weeks =604800; month months =2629800; yr year years =31557600; kyr =31557600000
    time: Myr =31557600000000; Gyr =31557600000000000
    mass: kg kilogram kilograms =1000; g gram grams =1; mg milligram milligrams =0.001; µg μg mcg =0.000001; ng =0.000000001
    length: km kilometre kilometres kilometer kilometers =1000; m metre metres meter meters =1; cm =0.01; mm =0.001
    length: µm μm micron microns =0.000001; nm =0.000000001
    distance: pc parsec parsecs =1; kpc kiloparsec kiloparsecs =1000; Mpc megaparsec megaparsecs =1000000; Gpc =1000000000
    orbit: au AU =1
    volume: l L litre litres liter liters =1; ml mL =0.001; µl μl µL =0.000001
    frequency: Hz =1; kHz =1000; MHz =1000000; GHz =1000000000; THz =1000000000000
    heat: J joule joules =1; kJ =1000; MJ =1000000; kcal =4184
    voltage: V volt volts =1; mV =0.001; kV =1000
    power: W watt watts =1; kW =1000; MW =1000000; GW =1000000000
    pressure: Pa =1; hPa =100; kPa =1000; MPa =1000000; GPa =1000000000
    energy: eV =1; keV =1000; MeV =1000000; GeV =1000000000; TeV =1000000000000
    temperature: K kelvin =1; mK =0.001; µK μK =0.000001
    speed: m/s m-s-1 =1; km/s km-s-1 =1000
    expansion: km/s/Mpc km-s-1-Mpc-1 =1
    angle: deg degree degrees ° =3600; arcmin arcminute arcminutes =60; arcsec arcsecond arcseconds =1; mas =0.001
"""


def _units(line: str) -> Iterator[tuple[str, tuple[str, float]]]:
    dimension, _, rest = line.strip().partition(": ")
    for part in rest.split("; "):
        names, _, size = part.rpartition(" =")
        yield from ((name, (dimension, float(size))) for name in names.split())


def _unit_pattern(name: str) -> str:
    # A letter alone right after a number is a name as often as a unit: the 1990s, 3d, 2g.
    alone = r"(?<=[\s-])" if len(name) == 1 and name in "sdhgl" else ""
    return alone + re.escape(name).replace(r"\-1", r"\s?\^?\{?-1\}?").replace(r"\-", r"[\s-]?")


def _unit_name(written: str) -> str:
    """A unit as it is looked up: spaces, hyphens, carets and braces left out."""
    return re.sub(r"[\s^{}-]+", "", written)


_WRITTEN = dict(unit for line in _TABLE.strip().splitlines() for unit in _units(line))
_UNITS = {_unit_name(name): what for name, what in _WRITTEN.items()}
"""From its name to what a unit measures and its size in the smallest whole of that dimension (seconds, grams, metres)."""
_UNIT = "(?:" + "|".join(map(_unit_pattern, sorted(_WRITTEN, key=len, reverse=True))) + r")(?!\w)"

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: float(value) for value, word in enumerate([*_ONES, *_TEENS], start=1)}
_WORDS |= {word: 20.0 + 10 * place for place, word in enumerate(_TENS)} | {"a": 1.0, "half": 0.5}
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}

_FIRST = "|".join(sorted({word[:2] for word in _WORDS.keys() - {"a"}}))
"""The first letters of numbers in words: looking for these first halves the time."""

_NUMBER = re.compile(
    rf"(?<![\w.])(?=\d|\.\d|(?i:an?\b|{_FIRST}))"
    r"(?:(?P<digits>\d{1,3}(?:[,\u2009\u202f\u00a0]\d{3})+(?:\.\d+)?|\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})(?!\d)"
    r"(?:[eE](?P<e>[-+]?\d{1,2})(?!\w)|\s*[×x*·]\s*10\s*\^\s*\{?(?P<power>[-+]?\d{1,2})\}?|\^\{?(?P<exponent>[-+]?\d{1,2})\}?)?"
    rf"|(?i:(?P<many>{'|'.join(_ONES)})[\s-](?P<parts>{'|'.join(_PARTS)})s(?!\w)"
    rf"|(?:an?|one)[\s-](?P<part>{'|'.join(_PARTS)})(?=\s(?:of|the|as|is|are|was|were|less|more|lower|higher)\b|[.,;:)])"
    rf"|(?P<words>(?:{'|'.join(_TENS)})[\s-](?:{'|'.join(_ONES)})"
    rf"|{'|'.join(sorted(_WORDS.keys() - {'a'}, key=len, reverse=True))}|a(?=\s(?:{'|'.join(SCALES)})\b))(?!\w)))"
    rf"(?:[\s-]?(?P<scale>{'|'.join(SCALES)})\b)?(?P<mille>\s?‰|\sper\s(?:mille|thousand)\b|\sin\sa\sthousand\b)?"
    rf"(?:(?:\sof\san?)?[\s-]?(?P<unit>%|{_UNIT}))?(?=(?P<rest>/|\([A-Z]|\s?per\b|\s?[^\W\d_]+)?)"
)
_PLAIN = {r"\%": "%", "{,}": ",", r"\times": "×", r"\cdot": "·", r"\pm": "±", "$": "", "~": " ", "\\,": " "}
_PLAIN |= {"−": "-", "+/-": "±"}
_BRACKETED = re.compile(r"\(([^()]{1,30})\)(?=\s*[×x*·]\s*10\s*\^)")
_NO_NUMBER = re.compile(
    r"(?:\b(?i:figs?|figures?|tables?|sections?|sec|eqs?|equations?|refs?)\.?\s?|\[|[\^_]\{?[-+]?|[A-Z]-)\Z"
)
_CATALOGUE = re.compile(r"\b(?!CI|OR|RR|HR)[A-Z]{2,}\s\Z")
_CITED = re.compile(r"(?:\b[A-Z][\w'’-]+|\bal\.?|&|;),?\s*\(?\Z")
_ABOUT = re.compile(r"(?:\b(?:about|roughly|around|nearly|almost|approximately|some|circa|ca)\.?|[~≈≃∼])\s*\Z", re.I)
LONGEST_ABOUT = 20
"""Characters in which the longest of these has room, with what stands around it."""
_SEPARATORS = str.maketrans("", "", ",\u2009\u202f\u00a0")
_JOINED = re.compile(r"\s*(?:(?P<scaled>-|–|—|to|±)|v|vs\.?|versus|against)\s*")
_COUNT = re.compile(r"\s(?:out\s)?of\s(?:the\s)?\d")
_P_VALUE = re.compile(r"\b[pP]\s?(?:value\s?)?[=<>≤]\s?\Z")
_JOINING = """
    and or but of in on at to by as if is was were are for from with the than per vs versus that which not so while
    after before against minus plus times over divided points percent
"""
_NO_NOUN = frozenset(_JOINING.split())
"""Words that may follow a number without being what it counts."""


class Quantity(NamedTuple):
    """A number as it is `written`. `size` is its value in the base unit of `dimension`, or the value where there is none.
    `reach` is how far another may be from `size` and be what this one is rounded from; `blur` is the same of a decimal, as
    a share. `counted`: a word follows that is no unit. `plain`: small counts, 100 %, the 5 % level and years of citations,
    which are in everybody's speech. `round`: a number that anybody may guess (30, 250, 0.5, 12, 24), so that a passage that
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


# A passage is read once for all of its traces, between the sentences of hundreds of others.
@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text, in order; no part of a name, an exponent, a reference or a list marker is one."""
    text = on_the_line(text)
    for written, plain in _PLAIN.items():
        text = text.replace(written, plain)
    text = _BRACKETED.sub(r"\1", text)
    after: tuple[int, float, str | None] | None = None
    found = []
    for match in reversed([match for match in _NUMBER.finditer(text) if _is_number(text, match)]):
        unit, scale = _unit(text, match), _scale(match)
        if after and (joined := _JOINED.fullmatch(text[match.end() : after[0]])):
            unit = unit or after[2]
            scale = after[1] if scale == 1 and joined["scaled"] else scale
        after = (match.start(), scale, unit)
        found.append(_quantity(text, match, unit, scale))
    return tuple(found[::-1])


def _is_number(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 16) : match.start()]
    written = match.group()
    if _NO_NUMBER.search(before) or (written.isdecimal() and len(written) > 2 and _CATALOGUE.search(before)):
        return False
    rest, glued = match["rest"] or "", match.end() == match.end("digits")
    marker = before.rpartition("\n")[2].strip(" (") == "" and text[match.end() : match.end() + 2] in (". ", ") ")
    return not match["digits"] or not (glued and (rest.isalnum() or rest.startswith("(") or marker))


def _unit(text: str, match: re.Match[str]) -> str | None:
    """The unit, unless it is the beginning of one that is not known: "mg/day"."""
    compound = (match["rest"] or "").strip() in ("/", "per") or text[match.end() : match.end() + 1] == "^"
    return _unit_name(match["unit"]) if match["unit"] and not compound else None


def _scale(match: re.Match[str]) -> float:
    power = 10.0 ** int(match["e"] or match["power"] or 0)
    return power * SCALES.get((match["scale"] or "").lower(), 1.0) * (1e-3 if match["mille"] else 1.0)


def _quantity(text: str, match: re.Match[str], unit: str | None, scale: float) -> Quantity:
    before = text[max(0, match.start() - 40) : match.start()]
    digits = (match["digits"] or "").translate(_SEPARATORS)
    significant, decimal = digits.replace(".", "").lstrip("0"), "." in digits
    number, step = _number_and_step(match, digits, significant, before)
    dimension, unit_size = _dimension(match, unit, before)
    value, factor = number * scale, scale * unit_size
    size = value * unit_size
    return Quantity(
        written=match.group(),
        value=value,
        size=size,
        reach=step * factor / 2 + abs(size) * 1e-9,
        dimension=dimension,
        blur=step / 2 / number if decimal and number else 0.0,
        digits=len(significant if decimal else significant.rstrip("0")),
        counted=unit is None and (not decimal or scale != 1) and _counts(text, match, before),
        plain=_is_everyday(match, digits, value, scale, size, dimension, before),
        round=_is_round(number, decimal),
    )


def _number_and_step(match: re.Match[str], digits: str, significant: str, before: str) -> tuple[float, float]:
    """A number without its scale and unit, and the step of its last digit: 0 where it is exact or has one digit alone."""
    if not digits:
        number, step = _in_words(match), 0.0
    elif match["exponent"] and digits == "10":
        number, step = 10.0 ** int(match["exponent"]), 0.0
    else:
        number, step = float(digits), 10.0 ** -len(digits.partition(".")[2]) if len(significant) > 1 else 0.0
    if "." not in digits and _ABOUT.search(before[-LONGEST_ABOUT:]):
        step = max(step, min(10.0 ** (len(digits) - len(digits.rstrip("0"))), number / 8))
    return number, step


def _dimension(match: re.Match[str], unit: str | None, before: str) -> tuple[str | None, float]:
    """What a number measures, and the size of its unit."""
    if unit:
        return _UNITS[unit]
    # P = .04 is no share of 4 percent.
    if _P_VALUE.search(before):
        return "p-value", 1.0
    return "fraction" if match["part"] or match["many"] else None, 1.0


def _counts(text: str, match: re.Match[str], before: str) -> bool:
    rest = (match["rest"] or "").strip()
    noun = len(rest) > 1 and rest.lower() not in _NO_NOUN
    return noun or before.endswith("out of ") or _COUNT.match(text, match.end()) is not None


def _is_everyday(
    match: re.Match[str], digits: str, value: float, scale: float, size: float, dimension: str | None, before: str
) -> bool:
    if (match["words"] or "").lower() == "half" or (dimension == "ratio" and value <= 2):
        return True
    if dimension in (None, "fraction", "p-value") and round(size, 9) in (0.0, 0.05, 0.95, 1.0):
        return True
    if dimension is not None or "." in digits or match["exponent"]:
        return False
    small = scale in (1, 100, 1000) and (value <= 12 or value == 10 ** round(math.log10(value)))
    cited = len(digits) == 4 and 1500 <= value <= 2100 and _CITED.search(before) is not None
    return small or cited


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
