"""Reads PDF (.pdf) with pdf-inspector: the Markdown of its pages, without what surrounds the text.

The library finds columns, paragraphs and headings, and reads what Form XObjects draw. This module removes running heads,
page and line numbers and stamps in the margin, splits paragraphs at indented lines, joins words broken at line ends, and
removes Markdown markup. Pages that are pictures have no text, since nothing here does OCR.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from statistics import median_low
from typing import Any

import pdf_inspector

from programs.inputs.formats.paper import Block, Paper, paper_of
from programs.inputs.headings import depth_of, may_be_heading, parse_heading
from programs.inputs.papers import arxiv_in, doi_in, licence_in, usable_title
from programs.inputs.report import SkipReason, Unreadable

MIN_LETTERS_PER_PAGE = 50
"""Average per page. A file with fewer, for which the library suggests OCR, holds pictures with some text laid over them."""
MAX_UNMAPPED_RATIO = 0.1
"""A readable file has at most this many characters without a mapping to Unicode per letter."""
MIN_HEAD_LETTERS, MAX_HEAD_LETTERS = 12, 150
"""Letters in a running head, which is text that nearby pages share at their top or bottom."""
MIN_LINE_NUMBERS_PER_PAGE = 4
"""If pages have at least this many numbers in the margin on average, these are line numbers."""
PARAGRAPH_GAP = 1.25
"""A line further from the line above than this multiple of the page's usual distance starts a paragraph."""

_UNMAPPED = re.compile(r"[\ufffd\ue000-\uf8ff]|\(cid:\d+\)")
_PAGE_NUMBER = re.compile(
    r"[-–—]?\s*(?:page\s+)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|of)\s*\d{1,4})?\s*[-–—]?", re.IGNORECASE
)
_MARKED_HEADING = re.compile(r"(#+)\s+(.*)|(\*\*)(.+?)\*\*")
_UNMARKED_HEADING = re.compile(r"[\w. ]{4,60}[^.,;]")
_EQUATION = re.compile(r"\(\s*\w{0,3}\.?\d+[a-z]?\s*\)$|=")
_PARAGRAPH_BREAK = re.compile(r"\Z|```|[-*•]\s|\d{1,2}[.)]\s|\|")
_UNFINISHED = re.compile(r"[a-z,;-]\s*\Z")
_BROKEN_WORD = re.compile(r"(\w+)[-\u00ad\u2010]\s+(?!(?:and|or|to|nor)\b)([a-z]\w*)")
_HYPHENATED_WORD = re.compile(r"\w+(?:-\w+)+")


def read_pdf(data: bytes) -> Paper:
    try:
        info = pdf_inspector.detect_pdf_bytes(data)
        pages = [page.markdown or "" for page in pdf_inspector.extract_pages_markdown_bytes(data).pages]
        items = pdf_inspector.extract_text_with_positions_bytes(data)
    except ValueError as error:
        raise Unreadable(SkipReason.LOCKED if "encrypted" in str(error) else SkipReason.DAMAGED) from error
    text = "".join(pages)
    pictures = {why for page in info.ocr_reasons_by_page for why in page.reasons}
    letters = sum(map(str.isalpha, text))
    if letters < (MIN_LETTERS_PER_PAGE * len(pages) if pictures else 1):
        raise Unreadable(SkipReason.NO_TEXT_IN_IT if pictures <= {"no_text"} else SkipReason.SCAN)
    if len(_UNMAPPED.findall(text)) > MAX_UNMAPPED_RATIO * letters:
        raise Unreadable(SkipReason.UNKNOWN_LETTERS)
    rotated = [item for item in items if item.rotation % 360]
    front = "\n".join([*pages[:2], *(item.text for item in rotated if item.page == 1)])
    blocks = list(_blocks(_clean_pages(pages, items), {_normalized(item.text) for item in rotated}))
    fields = {
        "doi": doi_in(front),
        "arxiv_id": arxiv_in(front),
        "license": licence_in(front) or licence_in("".join(pages[-1:])),
        "authors": [info.author] if info.author and info.author != "anonymous" else [],
    }
    return paper_of(_join(blocks), _title(info.title, blocks, front), fields)


def _normalized(words: str) -> str:
    return re.sub(r"\W", "", words).casefold()


def _clean_pages(pages: Sequence[str], items: Sequence[Any]) -> list[str]:
    """The pages without running heads and line numbers, and with their paragraphs separated."""
    words = [item for item in items if item.text.strip() and not item.rotation % 360]
    upright = [[item for item in words if item.page == number] for number in range(1, len(pages) + 1)]
    line_numbers = [_line_numbers(page_items) for page_items in upright]
    has_line_numbers = sum(map(len, line_numbers)) >= MIN_LINE_NUMBERS_PER_PAGE * len(pages)
    cleaned = []
    for page, page_items, margin_numbers in zip(pages, upright, line_numbers, strict=True):
        for number in margin_numbers if has_line_numbers else ():
            page = _without_line_number(page, number, page_items)
        # The library takes line numbers between columns for a table.
        page = re.sub(r"(?m)^[|\s\d]+$", "\n", page) if has_line_numbers else page
        cleaned.append(_with_paragraphs(page, page_items))
    return _without_running_heads(cleaned)


def _line_numbers(items: Sequence[Any]) -> list[Any]:
    """The numbers that lie to the left or right of all words."""
    words = [item for item in items if sum(map(str.isalpha, item.text)) > 2]
    left = min((item.x for item in words), default=0.0)
    right = max((item.x + item.width for item in words), default=0.0)
    numbers = (item for item in items if item.text.strip().isdigit())
    return [item for item in numbers if item.x + item.width <= left or item.x >= right]


def _without_line_number(page: str, number: Any, items: Sequence[Any]) -> str:
    """The page with a line number replaced by a line break."""
    same_line = [item for item in items if item is not number and abs(item.y - number.y) < 0.5 * item.height]
    words = [word for item in sorted(same_line, key=lambda item: item.x) for word in item.text.split()]
    digits = number.text.strip()
    pattern = rf"(?<!\S){digits}\s+(?!\S)"
    if words and number.x > same_line[0].x:
        pattern = rf"(?<={re.escape(words[-1])})\**\s+{digits}(?!\S)"
    elif words:
        pattern = rf"(?<!\S){digits}\s+(?=[*#\s]*{re.escape(words[0])})"
    return re.sub(pattern, "\n", page, count=1)


def _with_paragraphs(page: str, items: Sequence[Any]) -> str:
    """The page with a blank line before each line that starts a paragraph: one that follows the end of a sentence, and is
    indented relative to the line below it or further from the line above it than is usual on the page."""
    ordered = sorted(items, key=lambda item: (-round(item.y), item.x))
    starts = ordered[:1] + [item for before, item in pairwise(ordered) if not _is_beside(before, item)]
    below: dict[int, int] = {}
    for number, item in enumerate(starts):
        next_lines = range(number + 1, min(number + 8, len(starts)))
        under = (n for n in next_lines if item.y - starts[n].y > 0.5 * item.height)
        lower_line = next((n for n in under if abs(starts[n].x - item.x) < 4 * item.height), None)
        if lower_line is not None:
            below[number] = lower_line
    gaps = {number: starts[number].y - starts[lower].y for number, lower in below.items()}
    leading = median_low(gaps.values()) if gaps else 0.0
    after_gap = {below[number] for number, distance in gaps.items() if distance > PARAGRAPH_GAP * leading}
    for number, lower in below.items():
        item = starts[number]
        indented = 0.3 * item.height < item.x - starts[lower].x and gaps[number] < PARAGRAPH_GAP * leading
        if (indented or number in after_gap) and len(words := item.text.split()[:8]) > 2:
            page = re.sub(rf"(?<=[.?!:)])\s+(?={_pattern_of(words)})", "\n\n", page, count=1)
    return page


def _is_beside(before: Any, item: Any) -> bool:
    return bool(abs(before.y - item.y) <= 2 and -2 < item.x - before.x - before.width < 2 * item.height)


def _without_running_heads(pages: Sequence[str]) -> list[str]:
    """Removes text that pages up to two apart share at the top or bottom, ignoring numbers: facing pages may differ."""
    words = [re.sub(r"\d+", "\0", page).split() for page in pages]
    cleaned = []
    for number, page in enumerate(pages):
        nearby = [words[n] for n in (number - 2, number - 1, number + 1, number + 2) if 0 <= n < len(pages)]
        head = max((_common_prefix(words[number], other) for other in nearby), key=len, default=[])
        foot = max((_common_prefix(words[number][::-1], other[::-1]) for other in nearby), key=len, default=[])[::-1]
        page = re.sub(rf"\A\s*{_pattern_of(head)}", "", page) if _is_running_head(head) else page
        cleaned.append(re.sub(rf"{_pattern_of(foot)}\s*\Z", "", page) if _is_running_head(foot) else page)
    return cleaned


def _common_prefix(first: Sequence[str], second: Sequence[str]) -> list[str]:
    return [word for word, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))]


def _is_running_head(shared: Sequence[str]) -> bool:
    return MIN_HEAD_LETTERS <= sum(map(str.isalpha, "".join(shared))) <= MAX_HEAD_LETTERS


def _pattern_of(words: Sequence[str]) -> str:
    return r"\s+".join(re.escape(word).replace("\0", r"\d+") for word in words)


def _blocks(pages: Sequence[str], rotated: set[str]) -> Iterator[Block]:
    """Headings, paragraphs, and the lines of lists and tables. Paragraphs that a page end cuts are not joined yet."""
    for page in pages:
        paragraph: list[str] = []
        # Bold words that name a part are its heading, even if the library did not see that they have a line to themselves.
        separated = re.sub(r"\s*\*\*([^*\n]{2,80})\*\*\s*", _separate_heading, page)
        for line in [*map(str.strip, separated.split("\n")), ""]:
            block = _heading(line)
            if paragraph and (block or _PARAGRAPH_BREAK.match(line)):
                yield Block(" ".join(paragraph))
                paragraph = []
            if block:
                yield block
            elif not (_PAGE_NUMBER.fullmatch(line) or line.startswith("```") or _normalized(line) in {"", *rotated}):
                paragraph.append(_without_markup(line))


def _separate_heading(found: re.Match[str]) -> str:
    named = parse_heading(found[1]) is not None or depth_of(found[1]) is not None
    return f"\n\n**{found[1]}**\n\n" if named else found[0]


def _heading(line: str) -> Block | None:
    found = _MARKED_HEADING.fullmatch(line)
    named = parse_heading(_without_markup(line)) is not None
    if found is None:
        return Block(line, depth_of(line) or 1) if named and _UNMARKED_HEADING.fullmatch(line) else None
    title = _without_markup(found[2] or found[4])
    if not named and (_EQUATION.search(title) or not may_be_heading(title)):
        return None
    return Block(title, depth_of(title) or (1 if named else len(found[1] or "##")))


def _without_markup(line: str) -> str:
    if line.startswith("|"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        line = "" if set("".join(cells)) <= {"-", ":"} else " | ".join(filter(None, cells))
    line = re.sub(r"\[([^\]]*)\]\(\S+?\)", r"\1", line)
    line = re.sub(r"<su([pb])>(.*?)</su[pb]>", lambda found: {"p": "^", "b": "_"}[found[1]] + found[2], line)
    return re.sub(r"</?[us]>|(?<!\w)\*{1,3}(?=\S)|(?<=\S)\*{1,3}(?!\w)|^#+\s+", "", line)


def _join(blocks: Sequence[Block]) -> list[Block]:
    """Joins paragraphs that continue in the next block, and words broken at a line end. A hyphen at the break is kept if
    the paper hyphenates that word within a line, too, or if it follows a digit."""
    hyphenated = {word.lower() for block in blocks for word in _HYPHENATED_WORD.findall(block.text)}

    def rejoined(found: re.Match[str]) -> str:
        whole = f"{found[1]}-{found[2]}"
        return whole if whole.lower() in hyphenated or found[1][-1].isdigit() else found[1] + found[2]

    joined: list[Block] = []
    for block in blocks:
        before = joined[-1] if joined and joined[-1].level is block.level is None else None
        if before and _UNFINISHED.search(before.text) and (block.text[:1].islower() or block.text[:1].isdigit()):
            joined[-1] = Block(f"{before.text} {block.text}")
        else:
            joined.append(block)
    return [block._replace(text=_BROKEN_WORD.sub(rejoined, block.text)) for block in joined]


def _title(given: str | None, blocks: Sequence[Block], front: str) -> str | None:
    """The file's own title if the first pages print it, else the first heading if that can be a title, else the file's."""
    usable = usable_title(given)
    if usable and _normalized(usable) in _normalized(front):
        return usable
    first = next((block.text for block in blocks if block.level is not None), "")
    return first if " " in first and parse_heading(first) is None and depth_of(first) is None else usable
