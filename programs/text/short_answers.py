"""Whether a completion gives a short answer, and what it is worth by a rubric: rules alone, no model. Exports for
`verifiers` carry a copy of this file, so it imports nothing of ours.

The answer is what stands after the thought: in `\\boxed{}`, or else in the last sentence (yes or no also in the first). It
has to commit itself: several options, several numbers, yes and no, an empty box, a question are no answer.

score("So it takes \\\\boxed{0.5 h}.", {"kind": "number", "value": 30, "unit": "min", "tolerance": 0.01})     # 1.0
"""

from __future__ import annotations

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
_LETTER = re.compile(
    r"\(([A-F])\)|\b(?:option|answer|choice)\s*(?:is\s*)?:?\s*([A-F])\b|\A([A-F])\b[.):]?(?=\s|\Z)", re.I
)
_ONE_MORE = re.compile(
    r"\s*(?:(?:[,;/&+?]|\b(?:or|and|maybe|perhaps|possibly|else)\b)\s*)+\(?([A-F])\b\)?(?=\s*(?:\.?\s*\Z|[,;/&+?]|(?:or|and)\b))",
    re.I,
)
"""A letter right behind another, and nothing but letters and such words after it."""
_YES_OR_NO = re.compile(r"\A(?:\W|(?:so|thus|hence|therefore|answer|the|final|short|is)\b)*(yes|no)\b", re.I)
_OTHER_WORD = {"yes": r"\bno\b(?=\s*(?:[,.;:!?)]|and\b|or\b|\Z))", "no": r"\byes\b"}
_VERB = r"is|are|was|were|be|called|named|term|answer|means|to|by|from|so|thus|hence|therefore|that"
_LEADING = rf"(?:\A|\b(?:{_VERB}) )(?:(?:the|an?) )?"
"""What may stand before an answer that a sentence ends with."""


def score(completion: str, short: Mapping[str, Any]) -> float:
    """1.0 where a completion gives the short answer and no other, else 0.0. `short` has `kind` and what that needs:
    `value`, `unit` and `tolerance`; `text` and `options`; `text`; or `text` and `aliases`."""
    given = after_thought(completion)
    boxed = boxes(given)
    rule = _RULES[short["kind"]]
    if boxed:
        # More than a sentence is no short answer.
        return float(all(len(part) < LONGEST_SENTENCE and rule(part, short, True) for part in boxed))
    sentences = _sentences(given)
    if short["kind"] == "yes_no":
        said = {word for sentence in (sentences[:1] + sentences[-1:]) if (word := _yes_or_no(sentence))}
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
        for brace in _BRACE.finditer(text, end):
            depth, end = depth + (1 if brace[0] == "{" else -1), brace.end()
            if not depth:
                break
        found.append("" if depth else text[match.end() : end - 1].strip())
        if depth:
            break
    return found


def _sentences(text: str) -> list[str]:
    """The first sentence and the last; one that does not end is as long as a text, and nothing."""
    ends = [text[:LONGEST_SENTENCE], text[-LONGEST_SENTENCE:]]
    parts = [[part.strip(" *_#>-") for part in _BETWEEN_SENTENCES.split(end) if part.strip(" *_#>-")] for end in ends]
    found = [part for parts_of in (parts[0][:1], parts[1][-1:]) for part in parts_of]
    return [part if len(part) < LONGEST_SENTENCE - 10 else "" for part in found]


def plain(text: str) -> str:
    """A text in lower case, with one space between words and no other sign."""
    text = re.sub(r"\\(?:text|textbf|textit|mathrm|mathbf|rm)\b\s*\{?", "", text)
    return " ".join(re.sub(r"[^\w%+]+|_", " ", text.casefold()).split())


# Choice


def _is_choice(part: str, short: Mapping[str, Any], boxed: bool) -> bool:
    options: Sequence[str] = short["options"]
    right = list(map(plain, options)).index(plain(short["text"]))
    said, named = f" {plain(part)} ", set[int]()
    # The longest first: an option may be a part of another.
    for index in sorted(range(len(options)), key=lambda index: -len(options[index])):
        if (text := f" {plain(options[index])} ") in said:
            named.add(index)
            said = said.replace(text, " ")
    letters = _letters_in(_as_plain_text(part).strip())
    # A sentence may begin with the article; a box does not.
    letters = [one for one in letters if boxed or one.isupper()] if not (part[:2] == "A " and not boxed) else []
    named |= {LETTERS.index(letter.upper()) for letter in letters}
    if boxed or letters:
        return named == {right} and (boxed or not _DENIES.search(said))
    return named == {right} and _ends_with(part, [plain(short["text"])])


def _letters_in(text: str) -> list[str]:
    """The letters that a text names, "B" and "C" in "option B or C"."""
    found = []
    for match in _LETTER.finditer(text):
        found.append(next(filter(None, match.groups())))
        end = match.end()
        while more := _ONE_MORE.match(text, end):
            found.append(more[1])
            end = more.end()
    return found


# Yes or no, and terms


def _yes_or_no(sentence: str) -> str | None:
    found = _YES_OR_NO.match(sentence)
    if found is None or sentence.endswith("?"):
        return None
    word = found[1].lower()
    return "both" if re.search(_OTHER_WORD[word], sentence[found.end() :], re.I) else word


def _is_yes_or_no(part: str, short: Mapping[str, Any], _boxed: bool) -> bool:
    return plain(part) == str(short["text"])


def _is_term(part: str, short: Mapping[str, Any], boxed: bool) -> bool:
    names = {_singular(plain(name)) for name in [short["text"], *(short.get("aliases") or ())]}
    if boxed:
        without = re.sub(r"\s*\([^()]*\)", "", part)
        said = {_singular(re.sub(r"\A(?:the|an?) ", "", plain(one))) for one in (part, without)}
        return bool(said & names)
    return _ends_with(part, names)


def _ends_with(sentence: str, names: Iterable[str]) -> bool:
    """Whether a sentence says that it is one of these, and ends with that: a list of names does not."""
    said = _singular(plain(sentence.replace(":", " answer ").replace("=", " answer ")))
    ends = any(re.search(rf"{_LEADING}{re.escape(_singular(name))}\Z", said) for name in names)
    return ends and not _DENIES.search(said) and " or " not in said


def _singular(text: str) -> str:
    return " ".join(re.sub(r"(?<=[^\W\d]{3})(?<![su])s\Z", "", word) for word in text.split())


# Numbers


class WrittenNumber(NamedTuple):
    """A number as it stands in a text, with the unit after it; "" where none is known."""

    value: float
    unit: str


_SUPERSCRIPT = re.compile("[⁰¹²³⁴-⁹⁺⁻]+")
_ON_THE_LINE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_LATEX = {
    r"\times": "×", r"\cdot": "·", r"\pm": "±", r"\approx": "≈", r"\simeq": "≈", r"\sim": "~", r"\odot": "☉", r"\%": "%",
    r"\mu": "µ", r"\,": " ", r"\;": " ", r"\ ": " ", "~": " ", "{,}": ",", "$": "", r"\left": "", r"\right": "", "−": "-",
    "–": "-", "+/-": "±", "⊙": "☉", "μ": "µ",
}  # fmt: skip
_COMMAND = re.compile(r"\\(?:text|textrm|mathrm|mathit|mathbf|operatorname|unit|rm)\s*\{([^{}]*)\}|\\rm\b")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]+)\}\s*\{([^{}]+)\}")
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_DIGITS = r"(?:\d{1,3}(?:[,\u2009\u202f]\d{3})+(?!\d)|\d{1,30})(?:\.\d{1,30})?|\.\d{1,30}"
_NUMBER = re.compile(
    rf"(?P<about>[±]\s*)?(?<![\w.^])(?<!\^[-+])(?P<sign>[-+]?)(?:(?P<ten>10\^\(?(?P<alone>[-+]?\d{{1,2}})\)?)|(?P<digits>{_DIGITS})"
    r"(?:[eE](?P<e>[-+]?\d{1,2})(?!\w)|\s*[×x*·]\s*10\s*\^?\s*\(?(?P<power>[-+]?\d{1,2})\)?(?!\d))?"
    rf"(?:\s*/\s*(?P<below>{_DIGITS})(?![\w/]))?)(?:\s+(?P<scale>{'|'.join(SCALES)})\b)?"
)
_UNIT_TEXT = re.compile(r"[\s-]?((?:[^\W\d_]|[%°Å☉_(/]|1/)[\w%°☉_^*/·().\- ]{0,60})")


def numbers_in(text: str) -> list[WrittenNumber]:
    """The numbers of a text, LaTeX among it, in order; what stands after ± is none."""
    text = _as_plain_text(text)
    found, end = list[WrittenNumber](), 0
    for match in _NUMBER.finditer(text):
        if match["about"] or match.start() < end:
            continue
        if match["ten"]:
            value = 10.0 ** int(match["alone"])
        else:
            power = int(match["e"] or match["power"] or 0)
            value = float(re.sub(r"[^\d.]", "", match["digits"])) * 10.0**power
        below = float(re.sub(r"[^\d.]", "", match["below"])) if match["below"] else 1.0
        value = (value / below if below else math.inf) * SCALES.get(match["scale"] or "", 1.0)
        rest = re.sub(r"\A\s*±\s*[\d.,]+(?:\s*[×x*·]\s*10\^[-+]?\d+)?", "", text[match.end() : match.end() + 80])
        found.append(WrittenNumber(-value if match["sign"] == "-" else value, _unit_at(rest)))
        end = match.end() + rest.find(found[-1].unit) + len(found[-1].unit) if found[-1].unit else 0
    return found


def on_the_line(text: str) -> str:
    """A text with raised figures after a caret: 10⁻³ becomes 10^-3."""
    return _SUPERSCRIPT.sub(lambda match: "^" + match.group().translate(_ON_THE_LINE), text)


def _as_plain_text(text: str) -> str:
    text = _FRACTION.sub(r"\1/\2", on_the_line(text))
    for written, read in _LATEX.items():
        text = text.replace(written, read)
    text = re.sub(r"([\^_])\{([^{}]*)\}", r"\1\2", text)
    return re.sub(r" +", " ", _COMMAND.sub(lambda match: match[1] or "", text))


def _unit_at(text: str) -> str:
    """The longest beginning of a text that is a unit."""
    found = _UNIT_TEXT.match(text)
    words = re.split(r" +", found[1].strip()) if found else []
    for count in range(min(len(words), 5), 0, -1):
        name = " ".join(words[:count]).rstrip(".,-").strip()
        balanced = name.count("(") == name.count(")")
        if name and balanced and not _NO_UNIT.fullmatch(name) and known_unit(name):
            return name
    return ""


_NO_UNIT = re.compile(r"an?|are|as|at|bar|be|by|counts?|in|is|mean|of|on|or|pair|per|point|t|to|us?|x")
"""Words that a units library takes for units, and that a number is followed by as often."""

_DEFINED = """
    solar_mass = 1.98841e30 * kilogram = M_sun = Msun = solMass
    solar_luminosity = 3.828e26 * watt = L_sun = Lsun
    solar_radius = 6.957e8 * meter = R_sun = Rsun
    earth_mass = 5.9722e24 * kilogram = M_earth
    jupiter_mass = 1.89813e27 * kilogram = M_jup
    jansky = 1e-26 * watt / meter ** 2 / hertz = Jy
    magnitude = [magnitude] = mag
    dex = [decade]
    standard_deviation = [significance]
"""
_WORDS = (
    (re.compile(r"\bper[- ]?cent\b"), "percent"),
    (re.compile(r"\blight[ -]years?\b"), "light_year"),
    (re.compile(r"\b(solar|earth|jupiter) (mass|luminosit|radi)(?:es|y|ies|us|i)?\b"), r"\1_\2"),
    (re.compile(r"_luminosit\b"), "_luminosity"),
    (re.compile(r"_radi\b"), "_radius"),
    (re.compile(r"\bM_?☉"), "solar_mass"),
    (re.compile(r"\bL_?☉"), "solar_luminosity"),
    (re.compile(r"\bR_?☉"), "solar_radius"),
    (re.compile(r"\bAU\b"), "au"),
    (re.compile(r"\bsigmas?\b|σ|\bstandard deviations?\b"), "standard_deviation"),
    (re.compile(r"\bmags?\b|\bmagnitudes\b"), "magnitude"),
    (re.compile(r"\bper\b"), "/"),
    (re.compile(r"\bsquare (\w+)"), r"\1^2"),
    (re.compile(r"\bcubic (\w+)"), r"\1^3"),
    (re.compile(r"(?<=[A-Za-z☉])\s?\^?(-?\d)(?!\d)"), r"^\1"),
    (re.compile(r"\s*/\s*"), "/"),
    (re.compile(r"\A/"), "1/"),
    (re.compile(r"(?<=[\w)])[\s·]+(?=[A-Za-z(])"), "*"),
)
_MAY_BE_UNIT = re.compile(r"[\w%°☉^*/().-]{1,60}")


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
    """The unit that a name means; None: none."""
    if name == "%":
        return _registry().percent
    text = _as_plain_text(name)
    for pattern, better in _WORDS:
        text = pattern.sub(better, text)
    if not _MAY_BE_UNIT.fullmatch(text) or re.search(r"\d{3}|\*\*|[a-z]{25}", text):
        return None
    for written in dict.fromkeys((text, text.lower())):
        try:
            return _registry().parse_units(written)
        except Exception:
            # It raises a dozen kinds of error for what is no unit.
            continue
    return None


def known_unit(name: str) -> bool:
    """Whether a name is that of a unit."""
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
    before, _, after = re.sub(r"\\approx|\\simeq", "≈", part).rpartition("=")
    if "≈" in after:
        before, _, after = part.replace(r"\approx", "≈").rpartition("≈")
    numbers = numbers_in(after)
    if not numbers or len(numbers) + len(numbers_in(before)) > MOST_NUMBERS:
        return False
    found = [same_amount(one.value, one.unit, short) for one in numbers]
    # A number of something else is no second answer, but one without a unit may be.
    others = [one for one, same in zip(numbers, found, strict=True) if not same]
    return True in found and all(same_amount(one.value, one.unit, short) is None and one.unit for one in others)


_RULES = {"number": _is_number, "choice": _is_choice, "yes_no": _is_yes_or_no, "term": _is_term}
