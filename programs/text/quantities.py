"""Reads the quantities of a text: numbers with their units, so that "500 mg" and "0.5 g" are one amount.

Numbers may be in digits ("2,000", ".05", "3.2 × 10^5", "3.2e5", "10⁻³", the same in LaTeX) or in words ("seventeen", "two
hundred", "1.2 million"). The two ends of a range, and a value and its error, are separate quantities.
"""

import math
import re
from functools import lru_cache
from typing import NamedTuple

from programs.text.short_answers import NUMBER_IN_DIGITS, SCALES, as_plain_text

_UNIT_TABLE = """
    fraction | % percent per-cent pct percentage-point percentage-points 0.01
    ratio | times fold sigma σ standard-deviation standard-deviations 1
    magnitude | mag magnitude magnitudes 1
    decade | dex order-of-magnitude orders-of-magnitude 1
    time | s sec second seconds 1; ms msec millisecond milliseconds 1e-3; min minute minutes 60; h hr hour hours 3600
    time | d day days 86400; week weeks 604800; month months 2629800; yr year years 31557600; kyr 31557600e3
    time | Myr 31557600e6; Gyr 31557600e9
    mass | kg kilogram kilograms 1e3; g gram grams 1; mg milligram milligrams 1e-3; µg mcg 1e-6; ng 1e-9
    length | km kilometre kilometres kilometer kilometers 1e3; m metre metres meter meters 1; cm 0.01; mm 1e-3
    length | µm micron microns 1e-6; nm 1e-9; Å angstrom angstroms 1e-10
    solar mass | solar-mass solar-masses M☉ 1
    solar luminosity | solar-luminosity solar-luminosities L☉ 1
    distance | pc parsec parsecs 1; kpc kiloparsec kiloparsecs 1e3; Mpc megaparsec megaparsecs 1e6; Gpc 1e9
    orbit | au AU 1
    volume | l L litre litres liter liters 1; ml mL 1e-3; µl µL 1e-6
    frequency | Hz 1; kHz 1e3; MHz 1e6; GHz 1e9; THz 1e12
    heat | J joule joules 1; kJ 1e3; MJ 1e6; kcal 4184
    voltage | V volt volts 1; mV 1e-3; kV 1e3
    power | W watt watts 1; kW 1e3; MW 1e6; GW 1e9
    pressure | Pa 1; hPa 100; kPa 1e3; MPa 1e6; GPa 1e9
    energy | eV 1; keV 1e3; MeV 1e6; GeV 1e9; TeV 1e12
    temperature | K kelvin 1; mK 1e-3; µK 1e-6
    celsius | °C 1
    flux density | Jy 1; mJy 1e-3; µJy 1e-6
    magnetic field | T tesla 1; mT 1e-3; nT 1e-9
    amount | mol 1; mmol 1e-3; µmol 1e-6; nmol 1e-9
    speed | m/s m-s-1 1; km/s km-s-1 1e3
    expansion | km/s/Mpc km-s-1-Mpc-1 1
    angle | deg degree degrees ° 3600; arcmin arcminute arcminutes 60; arcsec arcsecond arcseconds 1; mas 1e-3
"""
_UNIT_SPELLINGS = {
    name: (dimension.strip(), float(size))
    for dimension, units in (line.split(" | ") for line in _UNIT_TABLE.strip().splitlines())
    for *names, size in map(str.split, units.split(";"))
    for name in names
}


def _unit_pattern(name: str) -> str:
    # A single letter directly after a number is part of a name as often as a unit: the 1990s, 3d, 2g.
    alone = r"(?<=[\s-])" if len(name) == 1 and name in "sdhgl" else ""
    return alone + re.escape(name).replace(r"\-1", r"\s?\^?-1").replace(r"\-", r"[\s-]?")


def _unit_name(written: str) -> str:
    return re.sub(r"[\s^-]+", "", written)


_UNITS = {_unit_name(name): unit for name, unit in _UNIT_SPELLINGS.items()}
"""By a unit's name: its dimension, and its size in the base unit of that dimension (second, gram, metre ...)."""
_UNIT = "(?:" + "|".join(map(_unit_pattern, sorted(_UNIT_SPELLINGS, key=len, reverse=True))) + r")(?!\w)"

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORD_VALUES: list[float] = [*range(1, 20), *range(20, 100, 10), 0.5]
_WORDS = dict(zip([*_ONES, *_TEENS, *_TENS, "half"], _WORD_VALUES, strict=True))

_FIRST_LETTERS = "|".join(sorted({word[:2] for word in _WORDS}))
"""The first two letters of numbers in words: looking for these first halves the time."""

_NUMBER = re.compile(
    rf"(?<![\w.^_])(?<!\^[-+])(?=\d|\.\d|(?i:an?\b|{_FIRST_LETTERS}))"
    rf"(?:{NUMBER_IN_DIGITS}(?!\d)"
    rf"|(?i:(?P<words>(?:{'|'.join(_TENS)})[\s-](?:{'|'.join(_ONES)})|{'|'.join(_WORDS)})(?!\w)"
    rf"|an?(?=\s(?:{'|'.join(SCALES)})\b)))"
    rf"(?:[\s-]?(?P<scale>{'|'.join(SCALES)})\b)?"
    rf"(?:(?:\sof\san?)?[\s-]?(?P<unit>%|{_UNIT}))?(?=(?P<rest>/|\([A-Z]|\s?per\b|\s?[^\W\d_]+)?)"
)
_SEPARATORS = str.maketrans("", "", ",\u2009\u202f\u00a0")
_BETWEEN_NUMBERS = re.compile(r"\s*(?:(?P<scaled>-|—|to|±)|v|vs\.?|versus|against)\s*")
_EVERYDAY = frozenset({*range(13), 100, 1000, 0.05, 0.5, 0.95})


class Quantity(NamedTuple):
    """A number as it is `written`. `size` is its value in the base unit of `dimension`, or just the value if it has none.
    `abs_error` is the rounding error of `size`, about 0 for one digit or words; `rel_error` is that error as a share, 0 if
    not a decimal. `digits`: the significant ones. `plain`: small counts, 50 %, 100 % and the 5 % level, which everybody
    uses. `round`: a number that anybody may guess (30, 250, 0.5, 12, 24)."""

    written: str
    value: float
    size: float
    abs_error: float
    dimension: str | None
    rel_error: float
    digits: int
    plain: bool
    round: bool


# Large enough to keep a passage until all of its traces are done, among the sentences of hundreds of others.
@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text, in order. Digits in names and exponents are not quantities."""
    text = as_plain_text(text)
    following: tuple[int, float, str | None] | None = None
    found = []
    for match in reversed([match for match in _NUMBER.finditer(text) if not _starts_name(match)]):
        # The unit in "mg/day" is not mg, but one that the table does not have.
        compound = (match["rest"] or "").strip() in ("/", "per") or text[match.end() : match.end() + 1] == "^"
        unit = _unit_name(match["unit"]) if match["unit"] and not compound else None
        scale = 10.0 ** int(match["power"] or match["e"] or 0) * SCALES.get((match["scale"] or "").lower(), 1.0)
        if following and (between := _BETWEEN_NUMBERS.fullmatch(text[match.end() : following[0]])):
            unit = unit or following[2]
            scale = following[1] if scale == 1 and between["scaled"] else scale
        following = (match.start(), scale, unit)
        found.append(_quantity(match, unit, scale))
    return tuple(found[::-1])


def _starts_name(match: re.Match[str]) -> bool:
    """Whether letters that are not a unit directly follow the digits: 2MASS, 19F, the 1990s."""
    return match["digits"] is not None and match.end() == match.end("digits") and (match["rest"] or "")[:1].isalpha()


def _quantity(match: re.Match[str], unit: str | None, scale: float) -> Quantity:
    digits = (match["factor"] or match["digits"] or "").translate(_SEPARATORS)
    significant = digits.replace(".", "").lstrip("0")
    decimal = "." in digits
    number = float(digits) if digits else _value_in_words(match)
    # A number with one digit is taken as exact.
    step = 10.0 ** -len(digits.partition(".")[2]) if len(significant) > 1 else 0.0
    dimension, unit_size = _UNITS[unit] if unit else (None, 1.0)
    size = number * scale * unit_size
    return Quantity(
        written=match.group(),
        value=number * scale,
        size=size,
        abs_error=step * scale * unit_size / 2 + abs(size) * 1e-9,
        dimension=dimension,
        rel_error=step / 2 / number if decimal and number else 0.0,
        digits=len(significant if decimal else significant.rstrip("0")),
        plain=dimension in (None, "fraction", "ratio") and round(size, 9) in _EVERYDAY,
        round=_is_round(number, decimal),
    )


def _is_round(value: float, decimal: bool) -> bool:
    """Whether it has one significant digit; if not a decimal, also a 5 after it (15, 250), or is a dozen or two."""
    mantissa = round(value / 10 ** math.floor(math.log10(value)), 9) if value else 1.0
    return mantissa % 1 == 0 or (not decimal and (mantissa * 2 % 1 == 0 or mantissa in (1.2, 2.4)))


def _value_in_words(match: re.Match[str]) -> float:
    # "A million" and "10^5" have no factor, so it is 1.
    return sum(_WORDS[word] for word in re.split(r"[\s-]", match["words"].lower())) if match["words"] else 1.0
