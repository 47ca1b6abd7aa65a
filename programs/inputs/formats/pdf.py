"""PDF (.pdf), as pdf-inspector reads it: the Markdown of its pages, without what stands around the text.

The library finds columns, paragraphs and headings, and reads what Form XObjects draw. Here running heads, page and line
numbers and stamps on the margin are left out, paragraphs are parted where lines are indented, words that a line end broke
are joined, and Markdown's own signs are taken away. A page that is a picture has no text: nothing here reads pictures.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from statistics import median_low
from typing import Any

import pdf_inspector

from programs.inputs.formats.paper import Block, Paper, paper_of
from programs.inputs.headings import depth_of, heading, looks_like_one
from programs.inputs.papers import arxiv_in, doi_in, licence_in, usable_title
from programs.inputs.report import Skip, Unreadable

LEAST_LETTERS = 50
"""A page. Fewer on average where the library asks for OCR, and what text there is was laid over pictures."""
MOST_UNKNOWN = 0.1
"""Of the characters of a readable file, so many may be ones that its fonts do not name."""
LEAST_HEAD, MOST_HEAD = 12, 150
"""Letters of what pages share at their edges that are a running head."""
LEAST_NUMBERED = 4
"""Lines of a page, on average, with numbers beside them are numbered lines."""
FAR_APART = 1.25
"""Of the usual distance of a page's lines: what is further from the line above begins a paragraph."""

_UNKNOWN = re.compile(r"[\ufffd\ue000-\uf8ff]|\(cid:\d+\)")
_PAGE_NUMBER = re.compile(
    r"[-–—]?\s*(?:page\s+)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|of)\s*\d{1,4})?\s*[-–—]?", re.IGNORECASE
)
_HEADING = re.compile(r"(#+)\s+(.*)|(\*\*)(.+?)\*\*")
_NAMED = re.compile(r"[\w. ]{4,60}[^.,;]")
_EQUATION = re.compile(r"\(\s*\w{0,3}\.?\d+[a-z]?\s*\)$|=")
_OWN_LINE = re.compile(r"\Z|```|[-*•]\s|\d{1,2}[.)]\s|\|")
_CUT = re.compile(r"[a-z,;-]\s*\Z")
_BROKEN = re.compile(r"(\w+)[-\u00ad\u2010]\s+(?!(?:and|or|to|nor)\b)([a-z]\w*)")
_HYPHENATED = re.compile(r"\w+(?:-\w+)+")


def read_pdf(data: bytes) -> Paper:
    try:
        about = pdf_inspector.detect_pdf_bytes(data)
        pages = [page.markdown or "" for page in pdf_inspector.extract_pages_markdown_bytes(data).pages]
        items = pdf_inspector.extract_text_with_positions_bytes(data)
    except ValueError as error:
        raise Unreadable(Skip.LOCKED if "encrypted" in str(error) else Skip.DAMAGED) from error
    text, pictures = "".join(pages), {why for page in about.ocr_reasons_by_page for why in page.reasons}
    letters = sum(map(str.isalpha, text))
    if letters < (LEAST_LETTERS * len(pages) if pictures else 1):
        raise Unreadable(Skip.NO_TEXT_IN_IT if pictures <= {"no_text"} else Skip.SCAN)
    if len(_UNKNOWN.findall(text)) > MOST_UNKNOWN * letters:
        raise Unreadable(Skip.UNKNOWN_LETTERS)
    turned = [item for item in items if item.rotation % 360]
    front = "\n".join([*pages[:2], *(item.text for item in turned if item.page == 1)])
    blocks = list(_blocks(_mended(pages, items), {_squeezed(item.text) for item in turned}))
    fields = {
        "doi": doi_in(front),
        "arxiv_id": arxiv_in(front),
        "license": licence_in(front) or licence_in("".join(pages[-1:])),
        "authors": [about.author] if about.author and about.author != "anonymous" else [],
    }
    return paper_of(_joined(blocks), _title(about.title, blocks, front), fields)


def _squeezed(words: str) -> str:
    return re.sub(r"\W", "", words).casefold()


def _mended(pages: Sequence[str], items: Sequence[Any]) -> list[str]:
    """The pages without running heads and line numbers, and with their paragraphs apart."""
    words = [item for item in items if item.text.strip() and not item.rotation % 360]
    upright = [[item for item in words if item.page == number] for number in range(1, len(pages) + 1)]
    numbers = [_line_numbers(placed) for placed in upright]
    numbered = sum(map(len, numbers)) >= LEAST_NUMBERED * len(pages)
    found = []
    for page, placed, beside in zip(pages, upright, numbers, strict=True):
        for number in beside if numbered else ():
            page = _without_line_number(page, number, placed)
        # Between columns, numbers are a table of nothing else to the library.
        page = re.sub(r"(?m)^[|\s\d]+$", "\n", page) if numbered else page
        found.append(_with_paragraphs(page, placed))
    return _without_running_heads(found)


def _line_numbers(items: Sequence[Any]) -> list[Any]:
    """The numbers that stand beside all words, left or right."""
    words = [item for item in items if sum(map(str.isalpha, item.text)) > 2]
    left = min((item.x for item in words), default=0.0)
    right = max((item.x + item.width for item in words), default=0.0)
    numbers = (item for item in items if item.text.strip().isdigit())
    return [item for item in numbers if item.x + item.width <= left or item.x >= right]


def _without_line_number(page: str, number: Any, items: Sequence[Any]) -> str:
    """The page without a line's number, in the place of which the line begins again, or ends."""
    beside = [item for item in items if item is not number and abs(item.y - number.y) < 0.5 * item.height]
    words = [word for item in sorted(beside, key=lambda item: item.x) for word in item.text.split()]
    said, form = number.text.strip(), rf"(?<!\S){number.text.strip()}\s+(?!\S)"
    if words and number.x > beside[0].x:
        form = rf"(?<={re.escape(words[-1])})\**\s+{said}(?!\S)"
    elif words:
        form = rf"(?<!\S){said}\s+(?=[*#\s]*{re.escape(words[0])})"
    return re.sub(form, "\n", page, count=1)


def _with_paragraphs(page: str, items: Sequence[Any]) -> str:
    """The page with a blank line before each line that begins a paragraph: where a sentence has ended, and it is indented
    against the line below it, or further from the one above than the page's lines are apart."""
    ordered = sorted(items, key=lambda item: (-round(item.y), item.x))
    starts = ordered[:1] + [
        item
        for before, item in pairwise(ordered)
        if abs(before.y - item.y) > 2 or not -2 < item.x - before.x - before.width < 2 * item.height
    ]
    below: dict[int, int] = {}
    for number, item in enumerate(starts):
        near = range(number + 1, min(number + 8, len(starts)))
        under = (n for n in near if item.y - starts[n].y > 0.5 * item.height)
        found = next((n for n in under if abs(starts[n].x - item.x) < 4 * item.height), None)
        below.update({number: found} if found is not None else {})
    apart = {number: starts[number].y - starts[lower].y for number, lower in below.items()}
    leading = median_low(apart.values()) if apart else 0.0
    far = {below[number] for number, distance in apart.items() if distance > FAR_APART * leading}
    for number, lower in below.items():
        item = starts[number]
        indented = 0.3 * item.height < item.x - starts[lower].x and apart[number] < FAR_APART * leading
        if (indented or number in far) and len(words := item.text.split()[:8]) > 2:
            page = re.sub(rf"(?<=[.?!:)])\s+(?={_form(words)})", "\n\n", page, count=1)
    return page


def _without_running_heads(pages: Sequence[str]) -> list[str]:
    """The pages without what begins or ends two of them alike, numbers apart: facing pages may have heads of their own."""
    words = [re.sub(r"\d+", "\0", page).split() for page in pages]
    found = []
    for number, page in enumerate(pages):
        near = [words[n] for n in (number - 2, number - 1, number + 1, number + 2) if 0 <= n < len(pages)]
        head = max((_shared(words[number], other) for other in near), key=len, default=[])
        foot = max((_shared(words[number][::-1], other[::-1]) for other in near), key=len, default=[])[::-1]
        page = re.sub(rf"\A\s*{_form(head)}", "", page) if _runs(head) else page
        found.append(re.sub(rf"{_form(foot)}\s*\Z", "", page) if _runs(foot) else page)
    return found


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return [word for word, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))]


def _runs(shared: Sequence[str]) -> bool:
    return LEAST_HEAD <= sum(map(str.isalpha, "".join(shared))) <= MOST_HEAD


def _form(words: Sequence[str]) -> str:
    return r"\s+".join(re.escape(word).replace("\0", r"\d+") for word in words)


def _blocks(pages: Sequence[str], turned: set[str]) -> Iterator[Block]:
    """Headings, paragraphs, and the lines of lists and tables; what a page's end cut is not joined yet."""
    for page in pages:
        paragraph: list[str] = []
        # Bold words that name a part are its heading, also where the library did not see that they are alone on their line.
        parted = re.sub(r"\s*\*\*([^*\n]{2,80})\*\*\s*", _alone, page)
        for line in [*map(str.strip, parted.split("\n")), ""]:
            found = _heading(line)
            if paragraph and (found or _OWN_LINE.match(line)):
                yield Block(" ".join(paragraph))
                paragraph = []
            if found:
                yield found
            elif not (_PAGE_NUMBER.fullmatch(line) or line.startswith("```") or _squeezed(line) in {"", *turned}):
                paragraph.append(_plain(line))


def _alone(found: re.Match[str]) -> str:
    named = heading(found[1]) is not None or depth_of(found[1]) is not None
    return f"\n\n**{found[1]}**\n\n" if named else found[0]


def _heading(line: str) -> Block | None:
    found = _HEADING.fullmatch(line)
    named = heading(_plain(line)) is not None
    if found is None:
        return Block(line, depth_of(line) or 1) if named and _NAMED.fullmatch(line) else None
    title = _plain(found[2] or found[4])
    if not named and (_EQUATION.search(title) or not looks_like_one(title)):
        return None
    return Block(title, depth_of(title) or (1 if named else len(found[1] or "##")))


def _plain(line: str) -> str:
    if line.startswith("|"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        line = "" if set("".join(cells)) <= {"-", ":"} else " | ".join(filter(None, cells))
    line = re.sub(r"\[([^\]]*)\]\(\S+?\)", r"\1", line)
    line = re.sub(r"<su([pb])>(.*?)</su[pb]>", lambda found: {"p": "^", "b": "_"}[found[1]] + found[2], line)
    return re.sub(r"</?[us]>|(?<!\w)\*{1,3}(?=\S)|(?<=\S)\*{1,3}(?!\w)|^#+\s+", "", line)


def _joined(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, paragraphs that go on in the next one with it, and words that a line end broke whole: a hyphen stays
    where the paper writes that word with it within a line."""
    hyphenated = {word.lower() for block in blocks for word in _HYPHENATED.findall(block.text)}

    def mended(found: re.Match[str]) -> str:
        whole = f"{found[1]}-{found[2]}"
        return whole if whole.lower() in hyphenated or found[1][-1].isdigit() else found[1] + found[2]

    joined: list[Block] = []
    for block in blocks:
        before = joined[-1] if joined and joined[-1].level is block.level is None else None
        if before and _CUT.search(before.text) and (block.text[:1].islower() or block.text[:1].isdigit()):
            joined[-1] = Block(f"{before.text} {block.text}")
        else:
            joined.append(block)
    return [block._replace(text=_BROKEN.sub(mended, block.text)) for block in joined]


def _title(given: str | None, blocks: Sequence[Block], front: str) -> str | None:
    """The file's own title where the first page prints it; else the first heading that names no part, else the file's."""
    usable = usable_title(given)
    if usable and _squeezed(usable) in _squeezed(front):
        return usable
    first = next((block.text for block in blocks if block.level is not None), "")
    return first if " " in first and heading(first) is None and depth_of(first) is None else usable
