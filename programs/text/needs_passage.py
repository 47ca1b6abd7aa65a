"""Finds the figures in a thought and its answer that only the passage can have given, not the question or arithmetic.

Two figures are the same if they are one amount ("500 mg", "0.5 g"; "53%", "0.53") within the rounding of the first as it is
written. Units are compared if both figures have one. A whole number of at most two significant digits is the passage's only
if the units agree or both have none: a calculated 32 Hz is not its "32 times".

Arithmetic gives a figure if one operation on figures of the same sentence or the one before yields it, or if it is the
total of two counts in the question, which nobody spells out ("28 had it, 28 not": 56). A figure after a calculation and an
equals sign ("√0.39 × 61 = 38") is accepted unchecked. A figure that needs the passage is no operand.

Round figures (30, 250, 0.5) are never listed, since people guess them: asked about 7 that the passage also has, a capable
writer had guessed them all.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, permutations
from typing import NamedTuple

from programs.text.quantities import Quantity, quantities

_CALCULATION_BEFORE = re.compile(
    r"(?:[×*/+^√−]\s?[√(]?\d|\d\)?[²³]|\s[–-]\s\d|\b(?:ln|log|exp)\s?\(?\d)[^=≈;]*[=≈]\s*(?:about\s|some\s)?\Z"
)
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[A-Z(\"“])|\n+")


class _Known(NamedTuple):
    """The figures known after a text: `free` ones, which are given, derived or the writer's own, and those that need the
    passage. `totals`: the sums of two counts in the question."""

    free: Sequence[Quantity]
    needed: Sequence[Quantity] = ()
    totals: frozenset[float] = frozenset()


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
    given = quantities(question)
    # Small numbers are labels as often as counts.
    counts = [
        figure.value for figure in given if figure.dimension is None and not figure.plain and figure.value % 1 == 0
    ]
    known = _Known(given, totals=frozenset(map(sum, combinations(counts, 2))))
    for paragraph in thought:
        known = _after_text(known, paragraph, passage, seen)
    return known


def _after_text(known: _Known, text: str, passage: str, seen: str | None = None) -> _Known:
    free, needed = [*known.free], [*known.needed]
    sources = [passage] if seen is None else [passage, seen]
    operands_before: list[Quantity] = []
    for sentence in _SENTENCE_BREAK.split(text):
        figures = quantities(sentence)
        operands = [figure for figure in figures if figure.plain or _is_among(figure, free)]
        for figure in figures:
            if figure in operands or _is_among(figure, needed):
                continue
            is_total = figure.dimension is None and figure.value in known.totals
            in_sources = not figure.round and all(_is_in(figure, quantities(source)) for source in sources)
            if in_sources and not is_total and not _is_derived_in(sentence, figure, operands, operands_before):
                needed.append(figure)
            else:
                free.append(figure)
                operands.append(figure)
        operands_before = operands
    return _Known(free, needed, known.totals)


def _is_derived_in(sentence: str, figure: Quantity, beside: Sequence[Quantity], before: Sequence[Quantity]) -> bool:
    """Whether a sentence derives a figure from those `beside` it or from those of the sentence before."""
    start = re.split(rf"(?<![\w.,]){re.escape(figure.written)}(?![.,]?\d)", sentence, maxsplit=1)[0]
    calculated = bool(beside) and _CALCULATION_BEFORE.search(start) is not None
    return calculated or _is_derived(figure, [*beside, *before])


def _is_among(figure: Quantity, others: Iterable[Quantity]) -> bool:
    return any(_is_same(figure, other) for other in others)


def _is_in(figure: Quantity, passage: Iterable[Quantity]) -> bool:
    """Whether a passage has the figure. The unit of one that may match by chance has to agree, too."""
    may_be_chance = figure.digits <= 2 and "." not in figure.written
    return any(
        _is_same(figure, other) and (not may_be_chance or figure.dimension == other.dimension) for other in passage
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
    return abs(one.value - other.value) <= one.abs_error * (one.value / one.size if one.size else 1)


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
            results += [math.log(x), -math.log(x), math.log10(x), math.exp(-x), 1 - x, 100 - x]
            results += [math.sqrt(x), 1 / math.sqrt(x), *([math.exp(x)] if x < 30 else [])]
        yield from ((result, a.rel_error) for result in results)
    for (x, a), (y, b) in permutations(values, 2):
        rel_error = a.rel_error + b.rel_error
        results = [x + y, x - y, x * y / unit]
        if y:
            results += [x / y * unit, (x / y - 1) * unit, (1 - x / y) * unit]
        if pure and x > 0 and abs(y * math.log(x)) < 40:
            results.append(x**y)
        yield from ((result, rel_error) for result in results)


def unstated_figures(text: str, question: str, passage: str, texts: Sequence[str], tolerance: float) -> list[str]:
    """The figures of a text that are neither in the question nor in the passage, and that no sentence of `texts` derives in
    one step. A figure may also stand for one that differs by `tolerance`, as a share: 1,130 for 1,132."""
    stated = [*quantities(question), *quantities(passage)]
    missing = [figure for figure in quantities(text) if not _is_among(figure, stated)]
    rough = [each._replace(abs_error=max(each.abs_error, tolerance * abs(each.size))) for each in missing]
    return [figure.written for figure in rough if not any(_is_derived_by(figure, each) for each in texts)]


def _is_derived_by(figure: Quantity, text: str) -> bool:
    sentences = _SENTENCE_BREAK.split(text)
    for before, sentence in zip(["", *sentences], sentences, strict=False):
        figures = quantities(sentence)
        for meant in (each for each in figures if _is_same(figure, each)):
            if _is_derived(meant, [other for other in (*quantities(before), *figures) if not _is_same(meant, other)]):
                return True
    return False
