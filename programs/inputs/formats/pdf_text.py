"""From the lines of a PDF's pages to headings and paragraphs. Pure functions.

1. A line near the top or bottom edge that stands there on two pages or more, numbers apart, is a running head; a number
   alone is a page's.
2. A heading is a line of its own type (bold, slanted with a number, or larger than the body), or the name of a part that
   papers have, without a full stop at its end.
3. A paragraph ends before a heading, a gap, an indentation, a formula or a caption. At the end of a column or page it
   goes on where no sentence had ended; notes and captions between its parts come after it.
4. A word that a line end has broken is joined. Its hyphen stays where the paper writes that word with it within a line.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from programs.inputs.formats.paper import Block
from programs.inputs.formats.pdf_lines import Line, Page
from programs.inputs.formats.text import depth_of
from programs.inputs.headings import heading, looks_like_one

EDGE = 0.12
"""The share of a page's height, at its top and at its bottom, where running heads stand."""
LARGER = 0.8
"""Points by which a heading is larger than the body."""
TITLE_LARGER = 1.5
SMALLER = 0.9
"""Points by which notes and captions are smaller than the body."""
SHORT = 0.5
"""The share of the usual width below which a line of few words may be a piece of a table or a formula."""

INDENTED = 4.0
"""The most that a line is indented, in its size."""
_LONGEST_TITLE = 300
_PAGE_NUMBER = re.compile(
    r"[-–—]?\s*(?:page\s+)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|of)\s*\d{1,4})?\s*[-–—]?", re.IGNORECASE
)
_CAPTION = re.compile(r"(?:Fig(?:ure)?|FIG(?:URE)?|Table|TABLE|Algorithm|Scheme)\.?\s*(?:\d|[IVX]+\b)")
_EQUATION = re.compile(r"\(\s*\w{0,3}\.?\d+[a-z]?\s*\)$")
_WORD = re.compile(r"[A-Za-z]{3,}")
_BROKEN = re.compile(r"(\w+)[-\u00ad\u2010]$")
_HYPHENATED = re.compile(r"\w+(?:-\w+)+")
_CID = re.compile(r"\(cid:\d+\)")


class Setting(NamedTuple):
    """How a paper is set: the size of its body's letters, the width of its lines, its printed title with the places of
    the lines that hold it, and where its front (title, authors) ends, as a place among the first page's lines."""

    body: float
    width: float
    title: str | None
    title_lines: frozenset[int]
    front: int

    @classmethod
    def of(cls, pages: list[Page]) -> Setting:
        """The setting of these pages."""
        lines = [line for page in pages for line in page.lines]
        sizes: Counter[float] = Counter()
        for line in lines:
            sizes[line.size] += len(line.text)
        body = max(sizes, key=lambda size: (sizes[size], -size), default=10.0)
        widths = [
            line.x1 - line.x0 for line in lines if abs(line.size - body) < LARGER and len(_WORD.findall(line.text)) > 3
        ]
        first = pages[0].lines if pages else []
        numbers = _title_lines(pages[0], body) if pages else []
        title = " ".join(first[number].text for number in numbers)
        fits = bool(numbers) and " " in title and len(title) <= _LONGEST_TITLE
        front = next((n for n, line in enumerate(first) if _named(line) and n not in numbers), 0)
        width = statistics.median(widths) if widths else 0.0
        return cls(body, width, title if fits else None, frozenset(numbers if fits else []), front)


def _title_lines(page: Page, body: float) -> list[int]:
    """The places of the first page's lines that are set largest, in its upper half, one after another."""
    upper = [
        number for number, line in enumerate(page.lines) if line.y0 > 0.5 * page.height and _WORD.search(line.text)
    ]
    largest = max((page.lines[number].size for number in upper), default=0.0)
    if largest < body + TITLE_LARGER:
        return []
    found = [number for number in upper if page.lines[number].size > largest - 0.5]
    return [number for place, number in enumerate(found) if number - found[0] == place]


def without_running_heads(pages: list[Page]) -> list[Page]:
    """The pages without what stands at their edges on every page, and without their numbers."""
    heads = Counter(key for page in pages for key in {_key(line) for line in page.lines if _at_edge(line, page)})
    return [
        page._replace(lines=[line for line in page.lines if not (_at_edge(line, page) and _runs(line, heads))])
        for page in pages
    ]


def blocks_of(pages: list[Page], setting: Setting) -> Iterator[Block]:
    """Headings and paragraphs, in reading order; notes and captions after the paragraph that they interrupt."""
    hyphenated = {word.lower() for page in pages for line in page.lines for word in _HYPHENATED.findall(line.text)}

    def joined(parts: list[_Part]) -> Iterator[Block]:
        return (Block(_joined(part.lines, hyphenated), part.level) for part in parts)

    current: _Part | None = None
    asides: list[_Part] = []
    for line, level in _levelled(pages, setting):
        within = current is not None and (_beside(current.lines[-1], line) or _follows(current.lines, line))
        if level is None and not within and _aside(line, asides, setting):
            if current is not None and current.level is not None:
                yield from joined([current])
                current = None
            if asides and _goes_on(asides[-1].lines, line):
                asides[-1].lines.append(line)
            else:
                asides.append(_Part([line], None))
        elif current is not None and _continues(current, line, level):
            current.lines.append(line)
        else:
            yield from joined([*([current] if current else []), *asides])
            current, asides = _Part([line], level), []
    yield from joined([*([current] if current else []), *asides])


class _Part(NamedTuple):
    """The lines of a paragraph, or of a heading of a level."""

    lines: list[Line]
    level: int | None


def _aside(line: Line, asides: list[_Part], setting: Setting) -> bool:
    """Whether a line stands beside the text: a caption, what is set smaller (notes, captions, often references), and
    pieces of tables and formulas, which are short and end no sentence."""
    if _CAPTION.match(line.text) or line.size <= setting.body - SMALLER:
        return True
    if line.x1 - line.x0 < SHORT * setting.width and len(_WORD.findall(line.text)) < 3 and line.text[-1:] not in ".?!":
        return True
    return bool(asides) and _CAPTION.match(asides[-1].lines[0].text) is not None and _goes_on(asides[-1].lines, line)


def _levelled(pages: list[Page], setting: Setting) -> Iterator[tuple[Line, int | None]]:
    """Each line with its level as a heading, or None."""
    for page in pages:
        for number, line in enumerate(page.lines):
            in_front = page.number == pages[0].number and number < setting.front
            if page.number == pages[0].number and number in setting.title_lines:
                yield line, None
            else:
                yield line, _level(line, setting, in_front)


def _level(line: Line, setting: Setting, in_front: bool) -> int | None:
    text = line.text
    if _CAPTION.match(text) or len(_WORD.findall(text)) == 0:
        return None
    depth = depth_of(text)
    if _named(line):
        return depth or 1
    if in_front or not looks_like_one(text) or _EQUATION.search(text):
        return None
    larger = line.size >= setting.body + LARGER
    if depth is not None and (line.bold or line.slanted or larger or text.isupper()):
        return depth
    if line.bold and (larger or line.size >= setting.body - 0.1):
        return 1 if larger else 2
    return 1 if larger else None


def _named(line: Line) -> bool:
    """Whether a line is nothing but the name of a part that papers have."""
    return len(line.text.split()) <= 5 and line.text[-1:] not in ".,;" and heading(line.text) is not None


def _continues(part: _Part, line: Line, level: int | None) -> bool:
    """Whether a line is of the same paragraph, or the second line of the same heading."""
    if part.level is None or level is None:
        return part.level is level is None and _goes_on(part.lines, line)
    last = part.lines[-1]
    return (
        last.page == line.page
        and (last.size, last.bold) == (line.size, line.bold)
        and depth_of(line.text) is None
        and heading(line.text) is None
        and 0 <= last.y0 - line.y0 < 1.8 * line.size
    )


def _goes_on(held: list[Line], line: Line) -> bool:
    """Whether a line belongs to the paragraph that those before it are of."""
    last = held[-1]
    if _beside(last, line):
        return True
    if _CAPTION.match(line.text) or _formula(line) or _formula(last) or abs(last.size - line.size) > 0.6:
        return False
    if _is_below(last, line):
        return _follows(held, line)
    ended = last.text[-1:] in ".?!:"
    return not ended or line.text[:1].islower()


def _is_below(last: Line, line: Line) -> bool:
    return last.page == line.page and line.y0 < last.y0 and line.x0 < last.x1 and last.x0 < line.x1


def _follows(held: list[Line], line: Line) -> bool:
    """Whether a line of the same type stands right below the one before it and is not indented."""
    last = held[-1]
    if not _is_below(last, line) or abs(last.size - line.size) > 0.6 or _formula(line) or _formula(last):
        return False
    # The first line of a paragraph is indented itself; one in another column says nothing.
    edge = min(before.x0 for before in held[-2:] if abs(before.x0 - last.x0) < INDENTED * line.size)
    return last.y0 - line.y0 < 1.7 * line.size and line.x0 - edge <= 0.7 * line.size


def _beside(last: Line, line: Line) -> bool:
    """Whether a line stands at the height of the one before it: in the same text, or raised or lowered within a formula.
    Another column may be at that height too."""
    shared = min(last.y1, line.y1) - max(last.y0, line.y0)
    same_height = last.page == line.page and 2 * shared > min(last.y1 - last.y0, line.y1 - line.y0)
    # A wide space within a line of a column is taken for its end.
    near = 0 <= line.x0 - last.x1 < 2.5 * line.size and last.size == line.size
    return same_height and (last.box == line.box or _formula(last) or near)


def _formula(line: Line) -> bool:
    words = _WORD.findall(line.text)
    return len(words) < 3 and (bool(_EQUATION.search(line.text)) or "=" in line.text)


def _joined(lines: Iterable[Line], hyphenated: set[str]) -> str:
    text = ""
    for line in lines:
        following = _CID.sub("", line.text)
        broken = _BROKEN.search(text)
        if broken and following[:1].isalpha():
            tail = re.match(r"\w+", following)
            whole = f"{broken[1]}-{tail[0] if tail else ''}".lower()
            keeps = whole in hyphenated or not following[:1].islower() or broken[1][-1:].isdigit()
            text = (text[: broken.end(1)] + "-" if keeps else text[: broken.end(1)]) + following
        else:
            text = f"{text} {following}" if text else following
    return text


def _at_edge(line: Line, page: Page) -> bool:
    return line.y1 > (1 - EDGE) * page.height or line.y0 < EDGE * page.height


def _runs(line: Line, heads: Counter[str]) -> bool:
    return heads[_key(line)] > 1 or _PAGE_NUMBER.fullmatch(line.text) is not None


def _key(line: Line) -> str:
    """What a running head says on every page, at the same height."""
    return f"{round(line.y0 / 4)} {re.sub(r'[0-9]+', '#', line.text)}"
