"""Whether a completion gives a short answer, and what it is worth by a rubric: rules alone, no model. Exports for
`verifiers` carry a copy of this file, so it imports nothing of ours.

The answer is what stands after the thought: in `\\boxed{}`, or else in the last sentence (yes or no also in the first). It
has to commit itself: several options, several numbers, yes and no, an empty box, a question are no answer.

score("So it takes \\\\boxed{0.5 h}.", {"kind": "number", "value": 30, "unit": "min", "tolerance": 0.01})     # 1.0
"""

import contextlib
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

LETTERS = "ABCDEF"
"""By which the options of a choice are named, in their order."""

LONGEST_SENTENCE = 1000
MOST_NUMBERS = 6
"""A sentence or a box with more is no answer."""

_CLOSED = re.compile(r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]", re.I)
_OPENED = re.compile(r"<(?:think|thinking|thought|reasoning)>|\[THINK\]", re.I)
_BOX = re.compile(r"\\f?boxed\s*\{")
_BRACE = re.compile(r"[{}]")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])[\"'”’)\]*]*\s+|\n+")
_DENIES = re.compile(
    r"\b(?:not|no|never|cannot|neither|nor|rather than|instead of|wrong|incorrect|except|unlike|false)\b|n['’]t\b"
)
_YES_OR_NO = re.compile(r"\A(?:\W|(?:so|thus|hence|therefore|answer|the|final|short|is)\b)*(yes|no)\b", re.I)
_OTHER_WORD = {"yes": r"\bno\b(?=\s*(?:[,.;:!?)]|and\b|or\b|\Z))", "no": r"\byes\b"}
_VERB = r"is|are|was|were|be|called|named|term|answer|means|to|by|from|so|thus|hence|therefore|that"
_LEADING = rf"(?:\A|\b(?:{_VERB}) )(?:(?:the|an?) )?"
"""What may stand before an answer that a sentence ends with."""


def score(completion: str, short: Mapping[str, Any]) -> float:
    """1.0 where a completion gives the short answer and no other, else 0.0. `short` has `kind` and what that needs:
    `value`, `unit` and `tolerance`; `text` and `options`; `text`; or `text` and `aliases`."""
    given, rule = after_thought(completion), _RULES[short["kind"]]
    if boxed := boxes(given):
        # More than a sentence is no short answer.
        return float(all(len(part) < LONGEST_SENTENCE and rule(part, short, True) for part in boxed))
    sentences = _sentences(given)
    if short["kind"] == "yes_no":
        said = {word for sentence in sentences if (word := _yes_or_no(sentence))}
        return float(said == {short["text"]})
    return float(bool(sentences) and not sentences[-1].endswith("?") and rule(sentences[-1], short, False))


def points_share(met: Collection[int], rubric: Sequence[Mapping[str, Any]]) -> float:
    """The weights of the points that are met (numbered from 1), as a share (0-1) of all above 0; 0 where none is."""
    total = sum(max(0, point["weight"]) for point in rubric)
    reached = sum(point["weight"] for number, point in enumerate(rubric, start=1) if number in met)
    return min(1.0, max(0.0, reached / total)) if total else 0.0


def after_thought(completion: str) -> str:
    """What stands after the thought; nothing where the thought does not end."""
    *_, last = _CLOSED.split(completion)
    return "" if _OPENED.search(last) else last.strip()


def boxes(text: str) -> list[str]:
    """What stands in each outermost `\\boxed{}`; of one that is not closed, nothing."""
    found, end = [], 0
    while match := _BOX.search(text, end):
        depth, end = 1, match.end()
        while depth and (brace := _BRACE.search(text, end)):
            depth, end = depth + (1 if brace[0] == "{" else -1), brace.end()
        found.append("" if depth else text[match.end() : end - 1].strip())
    return found


def _sentences(text: str) -> list[str]:
    """The first sentence and the last; one that does not end is nothing."""
    parts = [part for piece in _BETWEEN_SENTENCES.split(text) if (part := piece.strip(" *_#>-"))]
    return [part if len(part) < LONGEST_SENTENCE else "" for part in (*parts[:1], *parts[-1:])]


def plain(text: str) -> str:
    """A text in lower case, with one space between words and no other sign."""
    text = re.sub(r"\\(?:text|textbf|textit|mathrm|mathbf|rm)\b\s*\{?", "", text)
    return " ".join(re.sub(r"[^\w%+]+|_", " ", text.casefold()).split())


_IN_BOX = re.compile(r"\W*(?:\b(?:the|it|is|option|answer|choice)\b\W*)*(?:\b([A-F])\b\W*)?", re.I)
_LABELLED = re.compile(r"\W*([A-F])[.):]+ (?!(?:or|and|maybe|perhaps|else|not)\b|.*\([A-F]\)).*\w\w.*", re.I | re.S)
"""What stands in a box beside an option's words: nothing or a letter, or a letter with words in which others may stand."""
_NAMED_LETTER = re.compile(r"\(([A-F])\)|\b(?i:option|answer|choice)(?: is)?:? ([A-F])\b|\A([A-F])\b\W*\Z")
_STRAY_LETTER = re.compile(r"\b(?:[B-F]|A(?! (?!or\b|and\b)[a-z]))\b")


def _is_choice(part: str, short: Mapping[str, Any], boxed: bool) -> bool:
    options = list(map(plain, short["options"]))
    text, named = as_plain_text(part).strip(), set[int]()
    # The longest first: an option may be a part of another.
    for index, words in sorted(enumerate(map(str.split, options)), key=lambda option: -len(option[1])):
        pattern = r"[\W_]+".join(map(re.escape, words))
        text, times = re.subn(rf"(?<!\w){pattern}(?!\w)", "", text, flags=re.I)
        named |= {index} if words and times else set()
    if boxed:
        found = _IN_BOX.fullmatch(text) or _LABELLED.fullmatch(text)
        if not found:
            return False
        letters = [found[1]] if found[1] else []
    elif letters := ["".join(filter(None, groups)) for groups in _NAMED_LETTER.findall(text)]:
        letters += _STRAY_LETTER.findall(text)
    named |= {LETTERS.index(letter.upper()) for letter in letters}
    right = options.index(plain(short["text"]))
    if named != {right} or _DENIES.search(text.casefold()):
        return False
    return bool(boxed or letters) or _ends_with(part, [options[right]])


def _yes_or_no(sentence: str) -> str | None:
    found = _YES_OR_NO.match(sentence)
    if found is None or sentence.endswith("?"):
        return None
    word = found[1].lower()
    return "both" if re.search(_OTHER_WORD[word], sentence[found.end() :], re.I) else word


def _is_term(part: str, short: Mapping[str, Any], boxed: bool) -> bool:
    names = {_singular(plain(name)) for name in [short["text"], *(short.get("aliases") or ())]}
    if boxed:
        without = re.sub(r"\s*\([^()]*\)", "", part)
        said = {_singular(re.sub(r"\A(?:the|an?) ", "", plain(one))) for one in (part, without)}
        return bool(said & names)
    return _ends_with(part, names)


def _ends_with(sentence: str, names: Iterable[str]) -> bool:
    """Whether a sentence ends with saying that it is one of these: a list of names does not."""
    said = _singular(plain(sentence.replace(":", " answer ").replace("=", " answer ")))
    ends = any(re.search(rf"{_LEADING}{re.escape(_singular(name))}\Z", said) for name in names)
    return ends and not _DENIES.search(said) and " or " not in said


def _singular(text: str) -> str:
    return " ".join(re.sub(r"(?<=[^\W\d]{3})(?<![su])s\Z", "", word) for word in text.split())


class WrittenNumber(NamedTuple):
    """A number of a text; `unit` is "" where none is known."""

    value: float
    unit: str


_SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹⁺⁻]+")
_ON_THE_LINE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_ONE_SIGN = str.maketrans({"−": "-", "–": "-", "⊙": "☉", "μ": "µ"})
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]+)\}\s*\{([^{}]+)\}")
_COMMAND = re.compile(r"\\(?:(?:text\w*|math\w*|operatorname|unit|rm|left|right)\b|([A-Za-z]+|.))")
_SIGNS = {
    "times": "×", "cdot": "·", "pm": "±", "approx": "≈", "simeq": "≈", "sim": "~", "odot": "☉", "mu": "µ",
    "%": "%", ",": " ", ";": " ", " ": " ",
}  # fmt: skip

SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_DIGITS = r"(?:\d{1,3}(?:[,\u2009\u202f\u00a0]\d{3}){1,10}(?!\d)|\d{1,30})(?:\.\d{1,30})?|\.\d{1,30}"
_TEN_TO = r"10\s*\^\s*(?P<open>\()?(?P<power>[-+]?\d{1,2})(?!\.?\d)(?(open)\))"
IN_FIGURES = (
    rf"(?:(?:(?P<factor>{_DIGITS})\s*[×x*·]\s*)?{_TEN_TO}|(?P<digits>{_DIGITS})(?:[eE](?P<e>[-+]?\d{{1,2}})(?!\w))?)"
)
"""A number in figures."""
_ERROR = r"±\s*[\d.,]+(?:\s*[×x*·]\s*10\^[-+]?\d+)?"
_NUMBER = re.compile(
    rf"(?P<error>{_ERROR})|(?<![\w.^])(?<!\^[-+])(?P<sign>[-+]?){IN_FIGURES}(?:\s*/\s*(?P<below>{_DIGITS})(?![\w/]))?"
    rf"(?:\s+(?P<scale>{'|'.join(SCALES)})\b)?(?:\s*{_ERROR})?"
)
_UNIT_TEXT = re.compile(r"[\s-]?((?:[^\W\d_]|[%°Å☉_(/]|1/)[\w%°☉_^*/·().\- ]{0,60})")


def numbers_in(text: str) -> list[WrittenNumber]:
    """The numbers of a text, LaTeX among it, in order; what stands after ± is none."""
    text = as_plain_text(text)
    found, end = list[WrittenNumber](), 0
    for match in _NUMBER.finditer(text):
        if match["error"] or match.start() < end:
            continue
        power = 10.0 ** int(match["power"] or match["e"] or 0) * SCALES.get(match["scale"] or "", 1.0)
        value, below = _float(match["factor"] or match["digits"] or "1") * power, _float(match["below"] or "1")
        value = value / below if below else math.inf
        rest = text[match.end() : match.end() + 80]
        if unit := _unit_at(rest):
            end = match.end() + rest.find(unit) + len(unit)
        found.append(WrittenNumber(-value if match["sign"] == "-" else value, unit))
    return found


def _float(digits: str) -> float:
    return float(re.sub(r"[^\d.]", "", digits))


def as_plain_text(text: str) -> str:
    """A text without LaTeX's commands and braces, and with raised figures after a caret: 10⁻³ becomes 10^-3."""
    text = _SUPERSCRIPT.sub(lambda match: "^" + match.group().translate(_ON_THE_LINE), text).translate(_ONE_SIGN)
    text = _FRACTION.sub(r"\1/\2", text.replace("{,}", ",").replace("+/-", "±"))
    text = _COMMAND.sub(lambda match: _SIGNS.get(match[1], match[1] or ""), text)
    return re.sub(r"[ ~]+", " ", re.sub(r"[{}$]", "", text))


def _unit_at(text: str) -> str:
    """The longest beginning of a text that is a unit."""
    found = _UNIT_TEXT.match(text)
    words = re.split(r" +", found[1].strip()) if found else []
    for count in range(min(len(words), 5), 0, -1):
        name = " ".join(words[:count]).rstrip(".,-").strip()
        if name.count("(") == name.count(")") and not _NO_UNIT.fullmatch(name) and known_unit(name):
            return name
    return ""


_NO_UNIT = re.compile(r"an?|are|as|at|bar|be|by|counts?|in|is|mean|of|on|or|pair|per|point|t|to|us?|x")
"""Words that a units library takes for units, and that a number is followed by as often."""

_DEFINED = """
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
_AS_DEFINED = (
    (re.compile(r"\b[Pp]er[- ]cent\b"), "percent"),
    (re.compile(r"(?i)\b(light|solar|earth|jupiter)[ -](?=[a-z])"), r"\1_"),
    (re.compile(r"_?☉"), "_sun"),
    (re.compile(r"\bAU\b"), "au"),
    (re.compile(r"\bsigmas?\b|σ|\bstandard deviations?\b"), "standard_deviation"),
    (re.compile(r"\A(?:per\b|/)"), "1/"),
    (re.compile(r"(?<=[A-Za-z☉])\s?\^?(-?\d)(?!\d)"), r"^\1"),
    (re.compile(r"(?<=[\w)])\s*·\s*(?=[A-Za-z(])"), "*"),
)
_MAY_BE_UNIT = re.compile(r"[\w%°^*/(). -]{1,60}")
_NO_SUCH_UNIT = re.compile(r"\d{3}|\*\*|[a-z]{25}|\. |% (?!per )")


@lru_cache(maxsize=1)
def _registry() -> Any:
    # Only now: it takes a second, and most short answers have no unit, or the same.
    import pint

    registry: Any = pint.UnitRegistry()
    for line in _DEFINED.strip().splitlines():
        registry.define(line.strip())
    return registry


@lru_cache(maxsize=4096)
def _unit_of(name: str) -> Any:
    text = as_plain_text(name)
    for pattern, defined in _AS_DEFINED:
        text = pattern.sub(defined, text)
    if not _MAY_BE_UNIT.fullmatch(text) or _NO_SUCH_UNIT.search(text):
        return None
    for written in (text, text.lower()):
        # It raises a dozen kinds of error for what is no unit.
        with contextlib.suppress(Exception):
            return _registry().parse_units(written)
    return None


def known_unit(name: str) -> bool:
    return _unit_of(name) is not None


def same_amount(value: float, unit: str, short: Mapping[str, Any]) -> bool | None:
    """Whether an amount is that of a short answer, as far as that tolerates; None: it measures something else."""
    wanted, due = float(short["value"]), short.get("unit") or ""
    if unit != due:
        from pint import PintError

        here, there = (_registry().Quantity(*amount) for amount in ((value, _unit_of(unit)), (wanted, _unit_of(due))))
        try:
            if here.units.dimensionality != there.units.dimensionality:
                return None
            value, wanted = here.to_base_units().magnitude, there.to_base_units().magnitude
        except PintError:
            # A logarithm for each of something, as dB/km, has no dimension.
            return None
    return abs(value - wanted) <= abs(wanted) * float(short["tolerance"]) + 1e-12 * abs(wanted)


def _is_number(part: str, short: Mapping[str, Any], _boxed: bool) -> bool:
    *before, result = re.split("[=≈]", as_plain_text(part))
    numbers = numbers_in(result)
    if not numbers or len(numbers) + sum(len(numbers_in(each)) for each in before) > MOST_NUMBERS:
        return False
    found = [same_amount(one.value, one.unit, short) for one in numbers]
    # A number of something else is no second answer, but one without a unit may be.
    others = [one for one, same in zip(numbers, found, strict=True) if not same]
    return True in found and all(same_amount(one.value, one.unit, short) is None and one.unit for one in others)


def _is_yes_or_no(part: str, short: Mapping[str, Any], _boxed: bool) -> bool:
    return plain(part) == str(short["text"])


_RULES = {"number": _is_number, "choice": _is_choice, "yes_no": _is_yes_or_no, "term": _is_term}
