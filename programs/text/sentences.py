"""Sentences of a scientific text, as places in it.

sentencex proposes where sentences begin, and rules for scientific prose add and remove breaks: units and symbols end
sentences ("6 km/s. The", "a constant p. We"), "Fig." and "et al." do not. The spans are cut from the text itself.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sentencex

LONGEST_SENTENCE = 1000
# Rules look back over a block; its size bounds their work.
LONGEST_BLOCK = 4000

_BLANK_LINES = re.compile(r"\n\s*\n")
# A break before a list marker is one that means something.
_LINE_BREAK = re.compile(r"[\r\n](?!\s*(?:[-*•]|\(?\d{1,3}[.)])\s)")
_NON_SPACE = re.compile(r"\S")
# The sentence goes on after these, although a full stop stands there.
_NEVER_LAST = re.compile(
    r"(?:^|[\s(\[])(?:cf|e\.g|i\.e|viz|vs|eqs?|figs?|refs?|secs?|sects?|tabs?|chap|app|no|nos|ca|approx|resp)\.$", re.I
)
# A full stop after a word in small letters, before a capital: always an end, unless the word is an abbreviation.
_PLAIN_END = re.compile(r"(?:[a-z0-9)\]]|\b[A-Z]{2,})\.[\"')\]]*\s+(?=[\"'(\[]?[A-Z])")
# No initial: the unit in "after 24 h. A" and "at 300 K. The".
_TITLE = "dr|prof|mr|mrs|ms|st|mt|vol|dept|univ|inc|ltd|co|corp|ed|eds"
_INITIAL = re.compile(rf"(?:(?:^|(?<!\d)[\s(])(?-i:[A-Z])|(?:^|[\s(])(?:{_TITLE}))\.\Z", re.I)
# The longest of these, with what stands before it and the stop.
LONGEST_TITLE = 8

# A list marker or an initial stands before its sentence, never alone.
_MARKER = re.compile(r"(?:\(?\d{1,3}[.)]|\(?[A-Za-z][.)]|[-*•])")


class Span(NamedTuple):
    """A place in a text, in characters: text[start:end]."""

    start: int
    end: int


def split(text: str) -> list[Span]:
    """The sentences of `text`, in order: not empty, disjoint spans that begin and end with a non-space character, cover
    every non-space character of the text, and are at most LONGEST_SENTENCE characters long."""
    return [
        part
        for paragraph in _paragraphs(text)
        for block in parts(text, paragraph, LONGEST_BLOCK)
        for sentence in _sentences(text, block)
        for part in parts(text, sentence, LONGEST_SENTENCE)
    ]


def numbered(text: str, spans: Sequence[Span]) -> str:
    """One line a sentence, "[1] First sentence.", counted from 1; line breaks inside a sentence become spaces."""
    return "\n".join(f"[{i}] {' '.join(text[s.start : s.end].split())}" for i, s in enumerate(spans, start=1))


def cut_at_sentence(text: str, limit: int) -> str:
    """The longest prefix of whole sentences with at most `limit` (1 or more) characters. Where the first sentence alone is
    longer, the prefix ends before a space, or, without one, at the limit. Raises ValueError for a limit below 1."""
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    if len(text) <= limit:
        return text
    # A sentence that begins before the limit is seen whole, or is longer than any sentence may be.
    ends = [span.end for span in split(text[: limit + LONGEST_SENTENCE]) if span.end <= limit]
    ends = ends or [space.start() for space in re.finditer(r"(?<=\S)\s", text[: limit + 1])]
    return text[: ends[-1] if ends else limit]


def _paragraphs(text: str) -> Iterator[Span]:
    start = 0
    for end in [*(gap.end() for gap in _BLANK_LINES.finditer(text)), len(text)]:
        begin = end - len(text[start:end].lstrip())
        if begin < end:
            yield _stripped(text, begin, end)
        start = end


def _sentences(text: str, block: Span) -> Iterator[Span]:
    starts = [*_starts(text, block), block.end]
    begin = starts[0]
    for after in starts[1:]:
        span = _stripped(text, begin, after)
        sentence = text[span.start : span.end]
        goes_on = _NEVER_LAST.search(sentence[-LONGEST_TITLE:]) or _MARKER.fullmatch(sentence)
        if after == block.end or not goes_on:
            yield span
            begin = after


def _starts(text: str, block: Span) -> list[int]:
    """Where sentences begin in the text; the first is always the block's own start."""
    # A line break is taken for an end; in wrapped text the sentence goes on, so breaks become spaces in place.
    flat = _LINE_BREAK.sub(" ", text[block.start : block.end])
    starts, position = {0}, 0
    for sentence in sentencex.segment("en", flat):
        # What it gives are pieces of its input, in order and whole.
        found = flat.find(sentence.strip(), position)
        if found > 0:
            starts.add(found)
        position = max(found, position) + len(sentence.strip())
    for match in _PLAIN_END.finditer(flat):
        end = match.start() + 2
        if not _INITIAL.search(flat, max(0, end - LONGEST_TITLE), end):
            starts.add(match.end())
    return [block.start + start for start in sorted(starts)]


def parts(text: str, span: Span, longest: int) -> Iterator[Span]:
    """`span` itself, or parts of at most `longest` characters, cut at the best boundary in their second half."""
    start = span.start
    while span.end - start > longest:
        middle, stop = start + longest // 2, start + longest
        cuts = (text.rfind(mark, middle, stop) + len(mark) - 1 for mark in (". ", "; ", ", ", "\n", " "))
        cut = next((c for c in cuts if c > middle), stop)
        yield _stripped(text, start, cut)
        following = _NON_SPACE.search(text, cut)
        start = following.start() if following else span.end
    yield Span(start, span.end)


def _stripped(text: str, start: int, end: int) -> Span:
    """text[start:end] without the space around it; the first character is no space."""
    return Span(start, start + len(text[start:end].rstrip()))
