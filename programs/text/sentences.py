"""Splits a scientific text into sentences, as spans of characters.

sentencex proposes where sentences start, and rules for scientific prose add and remove breaks: units and symbols end
sentences ("6 km/s. The", "a constant p. We"), "Fig." and "et al." do not.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sentencex

MAX_SENTENCE_CHARS = 1000
# The rules search whole blocks, so this limits their work.
MAX_BLOCK_CHARS = 4000

_BLANK_LINES = re.compile(r"\n\s*\n")
# Not before a list marker, where a line break ends a sentence.
_LINE_BREAK = re.compile(r"[\r\n](?!\s*(?:[-*•]|\(?\d{1,3}[.)])\s)")
_NON_SPACE = re.compile(r"\S")
# Abbreviations: the sentence continues after their full stop.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:cf|e\.g|i\.e|viz|vs|eqs?|figs?|refs?|secs?|sects?|tabs?|chap|app|no|nos|ca|approx|resp)\.$", re.I
)
# A full stop after a lower-case word, a digit or an acronym, before a capital: an end, but for initials and titles.
_SENTENCE_END = re.compile(r"(?:[a-z0-9)\]]|\b[A-Z]{2,})\.[\"')\]]*\s+(?=[\"'(\[]?[A-Z])")
# After a number, a capital letter is a unit and not an initial: "at 300 K. The".
_TITLES = "dr|prof|mr|mrs|ms|st|mt|vol|dept|univ|inc|ltd|co|corp|ed|eds"
_INITIAL_OR_TITLE = re.compile(rf"(?:(?:^|(?<!\d)[\s(])(?-i:[A-Z])|(?:^|[\s(])(?:{_TITLES}))\.\Z", re.I)
# Characters of the longest abbreviation above, with its full stop and the character before it.
MAX_ABBREVIATION_CHARS = 8

# A list marker or an initial belongs to the sentence that follows.
_LIST_MARKER = re.compile(r"(?:\(?\d{1,3}[.)]|\(?[A-Za-z][.)]|[-*•])")


class Span(NamedTuple):
    """A range of characters in a text: text[start:end]."""

    start: int
    end: int


def split_sentences(text: str) -> list[Span]:
    """The sentences of `text`, in order: disjoint, non-empty spans that start and end with a non-space character, are at
    most MAX_SENTENCE_CHARS characters long, and together cover every non-space character of the text."""
    return [
        part
        for paragraph in _paragraphs(text)
        for block in split_span(text, paragraph, MAX_BLOCK_CHARS)
        for sentence in _sentences(text, block)
        for part in split_span(text, sentence, MAX_SENTENCE_CHARS)
    ]


def numbered_lines(text: str, spans: Sequence[Span]) -> str:
    """One line per sentence, "[1] First sentence.", numbered from 1; line breaks inside a sentence become spaces."""
    return "\n".join(f"[{i}] {' '.join(text[s.start : s.end].split())}" for i, s in enumerate(spans, start=1))


def cut_at_sentence(text: str, limit: int) -> str:
    """The longest prefix of whole sentences with at most `limit` characters. If even the first sentence is longer, the
    prefix ends before a space, or at the limit if there is none. Raises ValueError if `limit` is less than 1."""
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    if len(text) <= limit:
        return text
    # Enough text to see every sentence that starts before the limit whole.
    ends = [span.end for span in split_sentences(text[: limit + MAX_SENTENCE_CHARS]) if span.end <= limit]
    ends = ends or [space.start() for space in re.finditer(r"(?<=\S)\s", text[: limit + 1])]
    return text[: ends[-1] if ends else limit]


def _paragraphs(text: str) -> Iterator[Span]:
    start = 0
    for end in [*(gap.end() for gap in _BLANK_LINES.finditer(text)), len(text)]:
        first = end - len(text[start:end].lstrip())
        if first < end:
            yield _stripped(text, first, end)
        start = end


def _sentences(text: str, block: Span) -> Iterator[Span]:
    starts = [*_starts(text, block), block.end]
    start = starts[0]
    for after in starts[1:]:
        span = _stripped(text, start, after)
        sentence = text[span.start : span.end]
        continues = _ABBREVIATION.search(sentence[-MAX_ABBREVIATION_CHARS:]) or _LIST_MARKER.fullmatch(sentence)
        if after == block.end or not continues:
            yield span
            start = after


def _starts(text: str, block: Span) -> list[int]:
    """Where the block's sentences start in the text; the first start is always that of the block."""
    # sentencex ends sentences at line breaks, but in wrapped text they continue, so each break becomes a space.
    flat = _LINE_BREAK.sub(" ", text[block.start : block.end])
    starts, position = {0}, 0
    for sentence in sentencex.segment("en", flat):
        # The results are substrings of the input, in order.
        offset = flat.find(sentence.strip(), position)
        if offset > 0:
            starts.add(offset)
        position = max(offset, position) + len(sentence.strip())
    for match in _SENTENCE_END.finditer(flat):
        end = match.start() + 2
        if not _INITIAL_OR_TITLE.search(flat, max(0, end - MAX_ABBREVIATION_CHARS), end):
            starts.add(match.end())
    return [block.start + start for start in sorted(starts)]


def split_span(text: str, span: Span, max_chars: int) -> Iterator[Span]:
    """`span` itself, or parts of at most `max_chars` characters, each cut at the best boundary in its second half."""
    start = span.start
    while span.end - start > max_chars:
        middle, stop = start + max_chars // 2, start + max_chars
        cuts = (text.rfind(mark, middle, stop) + len(mark) - 1 for mark in (". ", "; ", ", ", "\n", " "))
        cut = next((c for c in cuts if c > middle), stop)
        yield _stripped(text, start, cut)
        following = _NON_SPACE.search(text, cut)
        start = following.start() if following else span.end
    yield Span(start, span.end)


def _stripped(text: str, start: int, end: int) -> Span:
    """text[start:end] without trailing space; its first character must not be a space."""
    return Span(start, start + len(text[start:end].rstrip()))
