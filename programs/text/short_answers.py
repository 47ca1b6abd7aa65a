"""Checks by rules, without a model, whether a completion gives a short answer, and what it scores by a rubric. Exports for
`verifiers` contain a copy of this file, so it imports nothing from this project.

The answer comes after the thought: in `\\boxed{}`, or else in the last sentence (yes or no also in the first). It must be
definite: several options, several numbers, a bound, a denial, both yes and no, an empty box, or a question are no answer.

score("So it takes \\\\boxed{0.5 h}.", {"kind": "number", "value": 30, "unit": "min", "tolerance": 0.01})     # 1.0
"""

import contextlib
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

LETTERS = "ABCDEF"
"""The letters of a choice's options, in order."""

MAX_SENTENCE_CHARS = 1000
MAX_NUMBERS = 6
"""A sentence or a box with more numbers is no answer."""

_THOUGHT_END = re.compile(r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]", re.I)
_THOUGHT_START = re.compile(r"<(?:think|thinking|thought|reasoning)>|\[THINK\]", re.I)
_BOX_START = re.compile(r"\\f?boxed\s*\{")
_BRACE = re.compile(r"[{}]")
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])[\"'”’)\]*]*\s+|\n+")
_DENIAL = re.compile(
    r"\b(?:not|no|never|cannot|neither|nor|rather than|instead of|wrong|incorrect|except|unlike"
    r"|false(?! (?:positive|negative|alarm|discovery)))\b|n['’]t\b"
)
_YES_OR_NO = re.compile(r"\A(?:\W|(?:so|thus|hence|therefore|answer|the|final|short|is)\b)*(yes|no)\b", re.I)
_OPPOSITE = {"yes": r"\A[\s/]*no\b|\bno\b(?![ -](?!(?:and|or)\b)[^\W\d]\w)", "no": r"\byes\b"}
"""What contradicts yes or no; a no before a word is part of the sentence, as in "Yes, there is no doubt"."""
_LEAD_WORDS = r"is|are|was|were|be|called|named|term|answer|means|to|by|from|so|thus|hence|therefore|that"
_ANSWER_LEAD = rf"(?:\A|\b(?:{_LEAD_WORDS}) )(?:(?:the|an?) )?"
"""What may precede an answer at the end of a sentence."""


def score(completion: str, short: Mapping[str, Any]) -> float:
    """1.0 if a completion gives the short answer and no other, else 0.0. `short` has a `kind` and the keys of that kind:
    number `value`, `unit` and `tolerance`, choice `text` and `options`, yes_no `text`, term `text` and `aliases`."""
    given = after_thought(completion)
    rule = _RULES[short["kind"]]
    if boxed := boxed_contents(given):
        # A text longer than a sentence is no short answer.
        return float(all(len(part) < MAX_SENTENCE_CHARS and rule(part, short, True) for part in boxed))
    sentences = _first_and_last_sentence(given)
    if short["kind"] == "yes_no":
        said = {word for sentence in sentences if (word := _yes_or_no(sentence))}
        return float(said == {short["text"]})
    return float(bool(sentences) and not sentences[-1].endswith("?") and rule(sentences[-1], short, False))


def points_share(met: Collection[int], rubric: Sequence[Mapping[str, Any]]) -> float:
    """The weight of the points met (numbered from 1) as a share (0-1) of all positive weights; 0 if there are none."""
    total = sum(max(0, point["weight"]) for point in rubric)
    reached = sum(point["weight"] for number, point in enumerate(rubric, start=1) if number in met)
    return min(1.0, max(0.0, reached / total)) if total else 0.0


def after_thought(completion: str) -> str:
    """The text after the thought; empty if the thought does not end."""
    *_, last = _THOUGHT_END.split(completion)
    return "" if _THOUGHT_START.search(last) else last.strip()


def boxed_contents(text: str) -> list[str]:
    """The content of each outermost `\\boxed{}`; empty for one that is not closed."""
    contents, end = [], 0
    while match := _BOX_START.search(text, end):
        depth, end = 1, match.end()
        while depth and (brace := _BRACE.search(text, end)):
            depth += 1 if brace[0] == "{" else -1
            end = brace.end()
        contents.append("" if depth else text[match.end() : end - 1].strip())
    return contents


def _first_and_last_sentence(text: str) -> list[str]:
    """The first and the last sentence; empty for one that is too long."""
    parts = [part for piece in _SENTENCE_BREAK.split(text) if (part := piece.strip(" *_#>-"))]
    return [part if len(part) < MAX_SENTENCE_CHARS else "" for part in (*parts[:1], *parts[-1:])]


def normalize(text: str) -> str:
    """A text in lower case, with single spaces between words and no signs but % and +."""
    text = re.sub(r"\\(?:text|textbf|textit|mathrm|mathbf|rm)\b\s*\{?", "", text)
    return " ".join(re.sub(r"[^\w%+]+|_", " ", text.casefold()).split())


_IN_BOX = re.compile(r"\W*(?:\b(?:the|it|is|option|answer|choice)\b\W*)*(?:\b([A-F])\b\W*)?", re.I)
_LABELLED = re.compile(r"\W*([A-F])[.):]+ (?!(?:or|and|maybe|perhaps|else|not)\b|.*\([A-F]\)).*\w\w.*", re.I | re.S)
"""The rest of a box without the words of options: nothing or a letter (`_IN_BOX`), or a letter and other words."""
_NAMED_LETTER = re.compile(
    r"\(([A-F])\)|\b(?i:(?:option|answer|choice|choose|pick|select)(?: is)?:? )\(?([A-F]\b|[a-f]\b(?=\W*\Z))"
    r"|(?:\A|(?:\bis|['’]s) )([A-F])\W*\Z"
)
_STRAY_LETTER = re.compile(r"\b(?:[B-F]|A(?! (?!or\b|and\b)[a-z])|[a-f](?=\W*\Z))\b")


def _is_choice(part: str, short: Mapping[str, Any], boxed: bool) -> bool:
    options = list(map(normalize, short["options"]))
    text, named = as_plain_text(part).strip(), set[int]()
    # The longest first, since an option may be part of another.
    for index, words in sorted(enumerate(map(str.split, options)), key=lambda option: -len(option[1])):
        pattern = r"[\W_]+".join(map(re.escape, words))
        text, times = re.subn(rf"(?<!\w){pattern}(?!\w)", "", text, flags=re.I)
        named |= {index} if words and times else set()
    if boxed:
        rest = _IN_BOX.fullmatch(text) or _LABELLED.fullmatch(text)
        if not rest:
            return False
        letters = [rest[1]] if rest[1] else []
    elif letters := ["".join(filter(None, groups)) for groups in _NAMED_LETTER.findall(text)]:
        letters += _STRAY_LETTER.findall(text)
    named |= {LETTERS.index(letter.upper()) for letter in letters}
    right = options.index(normalize(short["text"]))
    if named != {right} or _DENIAL.search(text.casefold()):
        return False
    return bool(boxed or letters) or _ends_with(part, [options[right]])


def _yes_or_no(sentence: str) -> str | None:
    match = _YES_OR_NO.match(sentence)
    if match is None or sentence.endswith("?"):
        return None
    word = match[1].lower()
    return "both" if re.search(_OPPOSITE[word], sentence[match.end() :], re.I) else word


def _is_term(part: str, short: Mapping[str, Any], boxed: bool) -> bool:
    names = {_singular(normalize(name)) for name in [short["text"], *(short.get("aliases") or ())]}
    if boxed:
        without = re.sub(r"\s*\([^()]*\)", "", part)
        said = {_singular(re.sub(r"\A(?:the|an?) ", "", normalize(name))) for name in (part, without)}
        return bool(said & names)
    return _ends_with(part, names)


def _ends_with(sentence: str, names: Iterable[str]) -> bool:
    """Whether a sentence ends by giving one of these names as the answer, not several names or a denial."""
    said = _singular(normalize(sentence.replace(":", " answer ").replace("=", " answer ")))
    ends = (re.search(rf"{_ANSWER_LEAD}{re.escape(_singular(name))}\Z", said) for name in names)
    before = [said[: end.start()] for end in ends if end]
    return bool(before) and not any(_DENIAL.search(words) or " or " in words for words in before)


def _singular(text: str) -> str:
    return " ".join(re.sub(r"(?<=[^\W\d]{3})(?<![su])s\Z", "", word) for word in text.split())


class WrittenNumber(NamedTuple):
    """A number in a text; `unit` is "" if no known unit follows."""

    value: float
    unit: str


_SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹⁺⁻]+")
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SIGN_VARIANTS = str.maketrans({"−": "-", "–": "-", "⊙": "☉", "μ": "µ", "º": "°", "℃": "°C"})
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]+)\}\s*\{([^{}]+)\}")
_LATEX_COMMAND = re.compile(r"\\(?:(?:text\w*|math\w*|operatorname|unit|rm|left|right)\b|([A-Za-z]+|.))")
_LATEX_SIGNS = {
    "times": "×", "cdot": "·", "pm": "±", "approx": "≈", "simeq": "≈", "sim": "~", "odot": "☉", "mu": "µ",
    "%": "%", ",": " ", ";": " ", " ": " ", "!": "", "circ": "°", "degree": "°", "Omega": "Ω", "AA": "Å",
    **dict.fromkeys(("lt", "le", "leq", "ll", "lesssim"), "<"), **dict.fromkeys(("gt", "ge", "geq", "gg", "gtrsim"), ">"),
    "ne": "≠", "neq": "≠",
}  # fmt: skip

SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_DECIMAL = r"(?:\d{1,3}(?:[,\u2009\u202f\u00a0]\d{3}){1,10}(?!\d)|\d{1,30})(?:\.\d{1,30})?|\.\d{1,30}"
_POWER = r"10\s*\^\s*(?P<open>\()?(?P<power>[-+]?\d{1,2})(?!\.?\d)(?(open)\))"
NUMBER_IN_DIGITS = (
    rf"(?:(?:(?P<factor>{_DECIMAL})\s*[×x*·]\s*)?{_POWER}|(?P<digits>{_DECIMAL})(?:[eE](?P<e>[-+]?\d{{1,2}})(?!\w))?)"
)
"""A number in digits."""
_RELATION = "[<>≤≥≠≲≳]"
_BOUND = (
    rf"{_RELATION}|(?i:\b(?:than(?: or equal to)?|at least|at most|up to|above|below|under|exceed\w*)"
    rf"|(?:\A|\b(?:{_LEAD_WORDS}) )over)(?: about)? "
)
_ERROR = rf"(?:±|{_BOUND})\s*[-+]?[\d.,]+(?:\s*[×x*·]\s*10\^[-+]?\d+|/\d+)?"
_OPEN_END = re.compile(
    rf"\s*{_RELATION}|\+(?! ?\d)|(?:\W?[a-z]+)?\W\W?(?:at (?:least|most)"
    r"|(?:or|and) (?:more|less|fewer|above|below|over|under|up|greater|higher|larger|longer|lower|shorter|smaller))\b"
)
"""What makes a bound of the number before it."""
_NUMBER = re.compile(
    rf"(?P<error>{_ERROR})|(?<![\w.^])(?<!\^[-+])(?P<sign>[-+]?){NUMBER_IN_DIGITS}(?:\s*/\s*(?P<denominator>{_DECIMAL})(?![\w/]))?"
    rf"(?:\s+(?P<scale>{'|'.join(SCALES)})\b)?(?:\s*{_ERROR})?"
)
_UNIT_TEXT = re.compile(r"[\s-]?((?:[^\W\d_]|[%°Å☉_(/]|1/)[\w%°☉_^*/·().\- ]{0,60})")


def numbers_in(text: str) -> list[WrittenNumber]:
    """The numbers of a text, with or without LaTeX, in order, without errors (± 2) and bounds (> 2, 2 or more)."""
    text = as_plain_text(text)
    found, end = list[WrittenNumber](), 0
    for match in _NUMBER.finditer(text):
        if match["error"] or match.start() < end:
            continue
        power = 10.0 ** int(match["power"] or match["e"] or 0) * SCALES.get(match["scale"] or "", 1.0)
        value = _to_float(match["factor"] or match["digits"] or "1") * power
        denominator = _to_float(match["denominator"] or "1")
        value = value / denominator if denominator else math.inf
        unit = _unit_at(text[match.end() : match.end() + 80])
        end = text.index(unit, match.end()) + len(unit)
        if not _OPEN_END.match(text, end):
            found.append(WrittenNumber(-value if match["sign"] == "-" else value, unit))
    return found


def _to_float(digits: str) -> float:
    return float(re.sub(r"[^\d.]", "", digits))


def as_plain_text(text: str) -> str:
    """A text without LaTeX commands and braces; superscript digits follow a caret: 10⁻³ becomes 10^-3."""
    text = _SUPERSCRIPT.sub(lambda match: "^" + match.group().translate(_PLAIN_DIGITS), text).translate(_SIGN_VARIANTS)
    text = re.sub(r"\{,\}|(?<=\d)\\[,; ](?=\d{3}(?!\d))", ",", text).replace("+/-", "±")
    text = _LATEX_FRACTION.sub(r"\1/\2", text)
    text = _LATEX_COMMAND.sub(lambda match: _LATEX_SIGNS.get(match[1], match[1] or ""), text)
    # Also Markdown's bold, but not the power in "m**2".
    text = re.sub(r"[{}$]|\^(?=\{?°)|(?<=µ) (?=\w)|(?<=°) (?=[CF]\b)|(?<!\w)\*\*|\*\*(?!\w)", "", text)
    return re.sub(r"[ ~]+", " ", text)


def _unit_at(text: str) -> str:
    """The longest prefix of a text that is a unit, or ""."""
    match = _UNIT_TEXT.match(text)
    words = re.split(r" +", match[1].strip()) if match else []
    for count in range(min(len(words), 5), 0, -1):
        name = " ".join(words[:count]).rstrip(".,-*").strip()
        if name.count("(") == name.count(")") and not _NOT_A_UNIT.fullmatch(name) and known_unit(name):
            return name
    return ""


_NOT_A_UNIT = re.compile(r"an?|are|as|at|bar|be|by|counts?|in|is|mean|of|on|or|pair|per|point|t|to|us?|x")
"""Ordinary words after numbers that pint takes for units."""

_UNIT_DEFINITIONS = """
    solar_mass = 1.98841e30 * kilogram = M_sun = Msun = solMass = solar_masses
    solar_luminosity = 3.828e26 * watt = L_sun = Lsun = solar_luminosities
    solar_radius = 6.957e8 * meter = R_sun = Rsun = solar_radii
    earth_mass = 5.9722e24 * kilogram = M_earth = earth_masses
    jupiter_mass = 1.89813e27 * kilogram = M_jup = jupiter_masses
    jansky = 1e-26 * watt / meter ** 2 / hertz = Jy
    magnitude = [magnitude] = mag
    dex = [decade]
    standard_deviation = [significance]
"""
_UNIT_SPELLINGS = (
    (re.compile(r"\b[Pp]er[- ]cent\b"), "percent"),
    (re.compile(r"(?i)\b(light|solar|earth|jupiter)[ -](?=[a-z])"), r"\1_"),
    (re.compile(r"_?☉"), "_sun"),
    (re.compile(r"(?i)\bdegrees? (?=celsius|fahrenheit)"), ""),
    (re.compile(r"\bdeg(?:rees?)? (?=[CF]\b)"), "°"),
    (re.compile(r"\bAU\b"), "au"),
    (re.compile(r"\bsigmas?\b|σ|\bstandard deviations?\b"), "standard_deviation"),
    (re.compile(r"\A(?:per\b|/)"), "1/"),
    (re.compile(r"(?<=[A-Za-z☉])\s?\^?(-?\d)(?!\d)"), r"^\1"),
    (re.compile(r"(?<=[\w)])\s*·\s*(?=[A-Za-z(])"), "*"),
)
_MAY_BE_UNIT = re.compile(r"[\w%°^*/(). -]{1,60}")
_CANNOT_BE_UNIT = re.compile(r"\d{3}|\*\*|[a-z]{25}|\. |% (?!per )")


@lru_cache(maxsize=1)
def _registry() -> Any:
    # Imported late: it takes a second, and most short answers have no unit, or the same one.
    import pint

    registry: Any = pint.UnitRegistry()
    for line in _UNIT_DEFINITIONS.strip().splitlines():
        registry.define(line.strip())
    return registry


@lru_cache(maxsize=4096)
def _parse_unit(name: str) -> Any:
    text = as_plain_text(name)
    for pattern, defined in _UNIT_SPELLINGS:
        text = pattern.sub(defined, text)
    if not _MAY_BE_UNIT.fullmatch(text) or _CANNOT_BE_UNIT.search(text):
        return None
    for written in (text, text.lower()):
        # pint raises a dozen kinds of errors for text that is not a unit.
        with contextlib.suppress(Exception):
            return _registry().parse_units(written)
    return None


def known_unit(name: str) -> bool:
    return _parse_unit(name) is not None


def same_amount(value: float, unit: str, short: Mapping[str, Any]) -> bool | None:
    """Whether an amount is that of a short answer, within its tolerance; None if it measures something else."""
    expected, expected_unit = float(short["value"]), short.get("unit") or ""
    if unit != expected_unit:
        from pint import PintError

        given = _registry().Quantity(value, _parse_unit(unit))
        wanted = _registry().Quantity(expected, _parse_unit(expected_unit))
        try:
            if given.units.dimensionality != wanted.units.dimensionality:
                return None
            # Not in base units: the tolerance of a temperature in °C would be a share of its kelvins.
            value = given.to(wanted.units).magnitude
        except PintError:
            # The dimension of a logarithmic unit per something, such as dB/km, is undefined.
            return None
    return abs(value - expected) <= abs(expected) * float(short["tolerance"]) + 1e-12 * abs(expected)


def _is_number(part: str, short: Mapping[str, Any], _boxed: bool) -> bool:
    clauses = re.split(r"[,;] (?!or\b|and\b)", as_plain_text(part))
    # "It is 2 mm, not 3 mm" is definite.
    *earlier, result = re.split("[=≈]", ", ".join(each for each in clauses if not _DENIAL.search(each.casefold())))
    numbers = numbers_in(result)
    if not numbers or len(numbers) + sum(len(numbers_in(each)) for each in earlier) > MAX_NUMBERS:
        return False
    matches = [same_amount(number.value, number.unit, short) for number in numbers]
    # A number that measures something else is no second answer, but one without a unit may be.
    others = (match is None and number.unit for number, match in zip(numbers, matches, strict=True) if not match)
    return True in matches and all(others)


def _is_yes_or_no(part: str, short: Mapping[str, Any], _boxed: bool) -> bool:
    return normalize(part) == str(short["text"])


_RULES = {"number": _is_number, "choice": _is_choice, "yes_no": _is_yes_or_no, "term": _is_term}
