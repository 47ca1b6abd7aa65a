"""Finds the figures in a thought and its answer that only the passage can have given, not the question or arithmetic.

Two figures are the same if they are one amount ("500 mg", "0.5 g"; "53%", "0.53") within the rounding of the first as it is
written. Units are compared if both figures have one, and "27 girls" are not 27 hours. A whole number of at most two
significant digits is the passage's only if the units agree or both have none: a calculated 32 Hz is not its "32 times".

Arithmetic gives a figure if one operation on figures of the same sentence or of the two before yields it, and the sentence
has a word or a sign of calculation. In a sum or a difference, one operand may be any figure of the question or derived in
an earlier paragraph. A figure after a calculation and an equals sign ("√0.39 × 61 = 38") is accepted unchecked. One of
three or more significant digits, which is hardly met by chance, needs no such word, and its operands may be anywhere in the
paragraph or the one before. A figure that needs the passage is no operand.

Round figures (30, 250, 0.5) are never listed, since people guess them: asked about 7 that the passage also has, a capable
writer had guessed them all. Nor are figures after a word of assumption ("say 1.6"), which prompts ask for.
"""

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, permutations
from typing import NamedTuple

from programs.text.quantities import Quantity, quantities

_CALCULATION = re.compile(
    r"×|\d\s?(?:[A-Za-zµ/^-]{1,12}\s?)?[=≈]|\d(?:\s?/|\s(?:of|by|over))\s?\d[\d.,]*\s(?:(?:is|are)\b|\d)"
    r"|\d\sand\s\d[\d.,]*\s(?:[a-z]+\s)?(?:is|are|be|makes?)\b"
    r"|\b(?:times|divid\w+|multipl\w+|minus|plus|sum|ratio|difference|factor|share|twice|doubl\w+|half|halv\w+|root|log\w*"
    r"|square\w*|power|leav(?:es?|ing)|makes?|giv(?:es?|ing)|comes? (?:out|to)|equals?|so|which is|others?|in all|together"
    r"|total|off)\b",
    re.I,
)
_OPERAND = r"\d[\d.,]*%?\)?(?:\s?[A-Za-zµ°]{1,12}[²³]?)?"
_CALCULATION_BEFORE = re.compile(
    rf"(?:{_OPERAND}(?:\s*[×*/+^−]\s*|\s[–-]\s)[√(]?\d|√\(?\d|\d\)?[²³]|\b(?:ln|log|exp)\s?\(?\d)"
    r"[^=≈;]*[=≈]\s*(?:about\s|some\s)?\Z"
)
_ASSUMPTION_BEFORE = re.compile(
    r"(?<!they )(?<!authors )\b(?:say(?! that)[^;:]{0,30}|guess[^;:]{0,30}|call it[^;:]{0,30}"
    r"|(?:suppose|assum(?:e|ing)|imagine|pretend|let(?:['’]s)? take)\b[^;:]{0,80})\Z",
    re.I,
)
SENTENCES_BEFORE = 2
"""A calculation may be in the sentence after the one with its operands, or in the next."""
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[A-Z(\"“])|\n+")


class _Known(NamedTuple):
    """The figures known after a text: given or derived, the writer's own, needing the passage, and the operands in it."""

    given: Sequence[Quantity]
    own: Sequence[Quantity] = ()
    needed: Sequence[Quantity] = ()
    paragraph: Sequence[Quantity] = ()


def needs_passage(
    question: str, passage: str, thought: Sequence[str], answer: str | None = None, *, seen: str | None = None
) -> list[str]:
    """The figures of a thought's paragraphs and of its answer that the passage has and that neither the question nor
    arithmetic gives: as they are written, in order, each once. `seen` is what the writer of the thought was shown besides
    the question (None: the passage); a figure that is not in it is not listed, since it cannot be from the passage."""
    known = _after_thought(question, passage, tuple(thought), seen)
    if answer is not None:
        known = _after_text(known, answer, passage)
    return [figure.written for figure in known.needed]


# Cached, since it is needed to check the thought, to check the answer, and for the record.
@lru_cache(maxsize=1024)
def _after_thought(question: str, passage: str, thought: tuple[str, ...], seen: str | None) -> _Known:
    known = _Known(quantities(question))
    for paragraph in thought:
        known = _after_text(known, paragraph, passage, seen)
    return known


def _after_text(before: _Known, text: str, passage: str, seen: str | None = None) -> _Known:
    given = [*before.given]
    own, needed = [*before.own], [*before.needed]
    sources = [passage] if seen is None else [passage, seen]
    paragraph = list[Quantity]()
    recent = deque[list[Quantity]](maxlen=SENTENCES_BEFORE)
    for part in _SENTENCE_BREAK.split(text):
        sentence = [figure for figure in quantities(part) if figure.plain or _is_among(figure, [*given, *own])]
        for figure in quantities(part):
            if figure in sentence or _is_among(figure, [*given, *needed]):
                continue
            if _is_derived_in(part, figure, sentence, [*chain(*recent)], [*before.paragraph, *paragraph], before.given):
                given.append(figure)
            elif figure.round or not all(_is_in(figure, quantities(source)) for source in sources):
                own.append(figure)
            else:
                needed.append(figure)
                continue
            sentence.append(figure)
        paragraph += sentence
        recent.append(sentence)
    return _Known(given, own, needed, paragraph)


def _is_derived_in(
    sentence: str,
    figure: Quantity,
    beside: Sequence[Quantity],
    recent: Sequence[Quantity],
    earlier: Sequence[Quantity],
    given: Sequence[Quantity],
) -> bool:
    """Whether a sentence derives a figure from others, or assumes it. `beside` are the other figures of the sentence,
    `recent` those of the sentences just before, `earlier` those of this paragraph and the last, `given` those of the
    question or derived in earlier paragraphs."""
    calculates = _CALCULATION.search(sentence) is not None
    operands: list[Quantity] = []
    if figure.digits > 2:
        operands = [*beside, *recent, *earlier]
    elif calculates:
        operands = [*beside, *recent]
    before = re.split(rf"(?<![\w.,]){re.escape(figure.written)}(?![.,]?\d)", sentence, maxsplit=1)[0]
    return (
        _is_derived(figure, operands)
        or (bool(beside) and _CALCULATION_BEFORE.search(before) is not None)
        or (calculates and any(_is_sum(figure, x, y) for x in beside if not x.plain for y in given))
        or _ASSUMPTION_BEFORE.search(before) is not None
    )


def _is_sum(figure: Quantity, x: Quantity, y: Quantity) -> bool:
    """Whether a figure is the sum or the difference of two others."""
    results = (x.size + y.size, abs(x.size - y.size))
    return x.dimension == y.dimension and any(abs(result - figure.size) <= figure.abs_error for result in results)


def _is_among(figure: Quantity, others: Iterable[Quantity]) -> bool:
    return any(_is_same(figure, other) for other in others)


def _is_in(figure: Quantity, passage: Iterable[Quantity]) -> bool:
    """Whether a passage has the figure. The unit of one that may match by chance has to agree, too."""
    may_be_chance = figure.digits <= 2 and "." not in figure.written
    is_share = {figure.dimension} <= {None, "fraction"}
    return any(
        not may_be_chance
        or figure.dimension == other.dimension
        or (is_share and other.dimension in (None, "fraction") and abs(figure.size - other.size) <= figure.abs_error)
        for other in passage
        if _is_same(figure, other)
    )


def _is_same(one: Quantity, other: Quantity) -> bool:
    """Whether `one` is the same as `other`, or `other` rounded."""
    if one.dimension == other.dimension:
        return abs(one.size - other.size) <= one.abs_error
    if one.dimension and other.dimension:
        return False
    bare, measured = (one, other) if one.dimension is None else (other, one)
    if measured.dimension == "fraction" and 0 < bare.value < 1 and abs(one.size - other.size) <= one.abs_error:
        return True
    return not bare.counted and abs(one.value - other.value) <= one.abs_error * (
        one.value / one.size if one.size else 1
    )


def _is_derived(figure: Quantity, others: Sequence[Quantity]) -> bool:
    """Whether one operation on other figures gives this one, within their rounding."""
    return any(abs(r - figure.size) <= figure.abs_error + abs(r) * error for r, error in _results(figure, others))


def _results(figure: Quantity, others: Sequence[Quantity]) -> Iterator[tuple[float, float]]:
    """The results of single operations on others, in the unit of `figure`, each with its relative error."""
    pure = figure.dimension in (None, "fraction", "ratio")
    unit = 1.0 if pure else figure.size / (figure.value or 1.0)
    values = [(a.size if a.dimension == figure.dimension or pure else a.value * unit, a) for a in dict.fromkeys(others)]
    for x, a in values:
        results = [x * 2, x / 2]
        if pure and x > 0:
            results += [math.log(x), -math.log(x), math.log10(x), math.log2(x)]
            if x < 30:
                results += [math.exp(x), math.exp(-x), 10**x, 2**x]
            results += [math.sqrt(x), 1 / math.sqrt(x), 1 / x, x**2, 1 - x, 100 - x]
        yield from ((result, a.rel_error) for result in results)
    for (x, a), (y, b) in permutations(values, 2):
        rel_error = a.rel_error + b.rel_error
        results = [x * y / unit]
        if y:
            results += [x / y * unit, (x / y - 1) * unit, (1 - x / y) * unit]
        if a.dimension in (None, b.dimension) or b.dimension is None:
            results += [x + y, x - y]
        if pure and x > 0 and abs(y * math.log(x)) < 40:
            results.append(x**y)
        yield from ((result, rel_error) for result in results)


def unstated_figures(text: str, question: str, passage: str, texts: Sequence[str], *, counts: bool) -> list[str]:
    """The figures of a text that are neither in the question nor in the passage nor, within 2%, in `texts`. With `counts`,
    small counts ("two", "half") are figures too, and a sentence of `texts` must derive a figure in one step."""
    stated = [*quantities(question), *quantities(passage)]
    missing = [figure for figure in quantities(text) if (counts or not figure.plain) and not _is_among(figure, stated)]
    if counts:
        return [figure.written for figure in missing if not any(_is_derived_by(figure, each) for each in texts)]
    in_texts = [figure for each in texts for figure in quantities(each)]
    widened = [figure._replace(abs_error=max(figure.abs_error, abs(figure.size) * 0.02)) for figure in missing]
    return [figure.written for figure in widened if not _is_among(figure, in_texts)]


def _is_derived_by(figure: Quantity, text: str) -> bool:
    sentences = _SENTENCE_BREAK.split(text)
    for before, sentence in zip(["", *sentences], sentences, strict=False):
        figures = quantities(sentence)
        others = [other for other in (*quantities(before), *figures) if not _is_same(figure, other)]
        plausible = figure.digits > 2 or _CALCULATION.search(sentence)
        if plausible and _is_among(figure, figures) and _is_derived(figure, others):
            return True
    return False
