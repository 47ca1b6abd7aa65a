"""Which figures of a thought and its answer only the passage gives: neither the question nor arithmetic does.

Two figures are the same where they are one amount ("500 mg", "0.5 g"; "53%", "0.53") within the rounding of the first as it
is written. A unit is compared where both have one, and "27 girls" are not 27 hours. A whole number of two digits is the
passage's only if it has the passage's unit, or none as there: 32 Hz that are worked out are no "32 times".

Arithmetic needs its operands at hand: it is one operation on figures of the same sentence or the two before, where the
sentence says that it reckons; of a sum or a difference one may be any that was given or worked out before. What stands
behind an equals sign and a calculation ("√0.39 × 61 = 38") is taken as it is. A figure of three digits or more, which
chance does not hit, needs no such word, and its operands may stand in the paragraph or the one before it. A figure that
needs the passage gives no other.
Round figures (30, 250, 0.5) are never listed: who guesses says them too (a capable writer, asked about 7 that the passage
held as well, had guessed all 7). Nor is a figure right behind a word by which somebody assumes one ("say 1.6"): a thought
is asked for such words.
"""

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, permutations
from typing import NamedTuple

from programs.text.quantities import Quantity, quantities

_RECKONS = re.compile(
    r"×|\d\s?(?:[A-Za-zµ/^-]{1,12}\s?)?[=≈]|\d(?:\s?/|\s(?:of|by|over))\s?\d[\d.,]*\s(?:(?:is|are)\b|\d)"
    r"|\d\sand\s\d[\d.,]*\s(?:[a-z]+\s)?(?:is|are|be|makes?)\b"
    r"|\b(?:times|divid\w+|multipl\w+|minus|plus|sum|ratio|difference|factor|share|twice|doubl\w+|half|halv\w+|root|log\w*"
    r"|square\w*|power|leav(?:es?|ing)|makes?|giv(?:es?|ing)|comes? (?:out|to)|equals?|so|which is|others?|in all|together"
    r"|total|off)\b",
    re.I,
)
_OPERAND = r"\d[\d.,]*%?\)?(?:\s?[A-Za-zµ°]{1,12}[²³]?)?"
_EQUATION = re.compile(
    rf"(?:{_OPERAND}(?:\s*[×*/+^−]\s*|\s[–-]\s)[√(]?\d|√\(?\d|\d\)?[²³]|\b(?:ln|log|exp)\s?\(?\d)"
    r"[^=≈;]*[=≈]\s*(?:about\s|some\s)?\Z"
)
_ASSUMED = re.compile(
    r"(?<!they )(?<!authors )\b(?:say(?! that)[^;:]{0,30}|guess[^;:]{0,30}|call it[^;:]{0,30}"
    r"|(?:suppose|assum(?:e|ing)|imagine|pretend|let(?:['’]s)? take)\b[^;:]{0,80})\Z",
    re.I,
)
SENTENCES_BEFORE = 2
"""A sum may be done in the sentence behind the one that gathered its figures, or in the next."""
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[A-Z(\"“])|\n+")


class _Known(NamedTuple):
    """The figures known after a text: given or derived, the writer's own, those that need the passage, and the text's."""

    given: Sequence[Quantity]
    own: Sequence[Quantity] = ()
    needed: Sequence[Quantity] = ()
    paragraph: Sequence[Quantity] = ()


def needs_passage(
    question: str, passage: str, thought: Sequence[str], answer: str | None = None, *, seen: str | None = None
) -> list[str]:
    """The figures of a thought's paragraphs, and of the answer to it, as they are written there and in order, that stand
    in the passage and that neither the question nor arithmetic gives. Each once. `seen` is what whoever thought was shown
    beside the question (None: the passage): what is not there either cannot be taken from the passage."""
    known = _after_thought(question, passage, tuple(thought), seen)
    if answer is not None:
        known = _after(known, answer, passage)
    return [one.written for one in known.needed]


# Asked for when the thought is checked, when its answer is, and for the record.
@lru_cache(maxsize=1024)
def _after_thought(question: str, passage: str, thought: tuple[str, ...], seen: str | None) -> _Known:
    known = _Known(quantities(question))
    for paragraph in thought:
        known = _after(known, paragraph, passage, seen)
    return known


def _after(before: _Known, text: str, passage: str, seen: str | None = None) -> _Known:
    given, own, needed = [*before.given], [*before.own], [*before.needed]
    sources = [passage] if seen is None else [passage, seen]
    paragraph, last = list[Quantity](), deque[list[Quantity]](maxlen=SENTENCES_BEFORE)
    for part in _SENTENCE_END.split(text):
        sentence = [one for one in quantities(part) if one.plain or _among(one, [*given, *own])]
        for one in quantities(part):
            if one in sentence or _among(one, [*given, *needed]):
                continue
            if _derived_in(part, one, sentence, [*chain(*last)], [*before.paragraph, *paragraph], before.given):
                given.append(one)
            elif one.round or not all(_held(one, quantities(source)) for source in sources):
                own.append(one)
            else:
                needed.append(one)
                continue
            sentence.append(one)
        paragraph += sentence
        last.append(sentence)
    return _Known(given, own, needed, paragraph)


def _derived_in(
    sentence: str,
    one: Quantity,
    here: Sequence[Quantity],
    near: Sequence[Quantity],
    far: Sequence[Quantity],
    given: Sequence[Quantity],
) -> bool:
    """Whether a sentence works a figure out of others, or assumes it. `here` are those of the sentence, `near` those of the
    ones just before it, `far` those of the paragraph and the one before it, `given` all that are given or derived."""
    reckons = _RECKONS.search(sentence) is not None
    operands = [*here, *near, *far] if one.digits > 2 else [*here, *near] if reckons else ()
    before = re.split(rf"(?<![\w.,]){re.escape(one.written)}(?![.,]?\d)", sentence, maxsplit=1)[0]
    return (
        _derived(one, operands)
        or (bool(here) and _EQUATION.search(before) is not None)
        or (reckons and any(_is_sum(one, x, y) for x in here if not x.plain for y in given))
        or _ASSUMED.search(before) is not None
    )


def _is_sum(one: Quantity, x: Quantity, y: Quantity) -> bool:
    """Whether a figure is the sum of two others, or what is between them."""
    results = (x.size + y.size, abs(x.size - y.size))
    return x.dimension == y.dimension and any(abs(result - one.size) <= one.reach for result in results)


def _among(one: Quantity, others: Iterable[Quantity]) -> bool:
    return any(_same(one, other) for other in others)


def _held(one: Quantity, passage: Iterable[Quantity]) -> bool:
    """Whether a passage has the figure. A whole number of two digits is met with other units by chance."""
    chance = one.digits <= 2 and "." not in one.written
    shares = {one.dimension} <= {None, "fraction"}
    return any(
        not chance
        or one.dimension == other.dimension
        or (shares and other.dimension in (None, "fraction") and abs(one.size - other.size) <= one.reach)
        for other in passage
        if _same(one, other)
    )


def _same(one: Quantity, other: Quantity) -> bool:
    """Whether `one` is the other, or the other rounded."""
    if one.dimension == other.dimension:
        return abs(one.size - other.size) <= one.reach
    if one.dimension and other.dimension:
        return False
    bare, measured = (one, other) if one.dimension is None else (other, one)
    if measured.dimension == "fraction" and 0 < bare.value < 1 and abs(one.size - other.size) <= one.reach:
        return True
    return not bare.counted and abs(one.value - other.value) <= one.reach * (one.value / one.size if one.size else 1)


def _derived(one: Quantity, at_hand: Sequence[Quantity]) -> bool:
    """Whether one operation on figures at hand gives it, as far as these are rounded."""
    return any(abs(result - one.size) <= one.reach + abs(result) * blur for result, blur in _results(one, at_hand))


def _results(one: Quantity, at_hand: Sequence[Quantity]) -> Iterator[tuple[float, float]]:
    """What operations give, in the unit of `one`, and how far off that may be, as a share."""
    number = one.dimension in (None, "fraction", "ratio")
    unit = 1.0 if number else one.size / (one.value or 1.0)
    hand = [(a.size if a.dimension == one.dimension or number else a.value * unit, a) for a in dict.fromkeys(at_hand)]
    for x, a in hand:
        results = [x * 2, x / 2]
        if number and x > 0:
            results += [math.log(x), -math.log(x), math.log10(x), math.log2(x)]
            results += [math.exp(x), math.exp(-x), 10**x, 2**x] if x < 30 else []
            results += [math.sqrt(x), 1 / math.sqrt(x), 1 / x, x**2, 1 - x, 100 - x]
        yield from ((result, a.blur) for result in results)
    for (x, a), (y, b) in permutations(hand, 2):
        blur = a.blur + b.blur
        quotients = [x / y * unit, (x / y - 1) * unit, (1 - x / y) * unit] if y else []
        sums = [x + y, x - y] if a.dimension in (None, b.dimension) or b.dimension is None else []
        power = [x**y] if number and x > 0 and abs(y * math.log(x)) < 40 else []
        yield from ((result, blur) for result in (x * y / unit, *quotients, *sums, *power))


def unstated(text: str, question: str, passage: str, texts: Sequence[str], *, counts: bool) -> list[str]:
    """The figures of a text that stand neither in the question nor in the passage, nor, within 2%, in `texts`. `counts`:
    small counts ("two", "half") are figures too, and a sentence of `texts` must work one out of others in one step."""
    at_hand = [*quantities(question), *quantities(passage)]
    missing = [one for one in quantities(text) if (counts or not one.plain) and not _among(one, at_hand)]
    if counts:
        return [one.written for one in missing if not any(_worked_out(one, each) for each in texts)]
    said = [one for each in texts for one in quantities(each)]
    nearly = [one._replace(reach=max(one.reach, abs(one.size) * 0.02)) for one in missing]
    return [one.written for one in nearly if not _among(one, said)]


def _worked_out(one: Quantity, text: str) -> bool:
    sentences = _SENTENCE_END.split(text)
    for before, sentence in zip(["", *sentences], sentences, strict=False):
        here = quantities(sentence)
        others = [other for other in (*quantities(before), *here) if not _same(one, other)]
        if _among(one, here) and (one.digits > 2 or _RECKONS.search(sentence)) and _derived(one, others):
            return True
    return False
