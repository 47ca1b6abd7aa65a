"""The lines of a PDF's pages in reading order, each with its place and type."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any, NamedTuple

from pdfminer.converter import PDFPageAggregator
from pdfminer.layout import LAParams, LTChar, LTFigure, LTImage, LTTextLine
from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdftypes import resolve1

_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "ft", 0xFB06: "st"}
_BOLD = ("bold", "black", "heavy", "demi", "cmbx", "-medi", "semibold", "sfbx", "-bd")
_SLANTED = ("italic", "oblique", "-it", "cmti", "slanted")


class Line(NamedTuple):
    """A line of type: x grows to the right, y upwards, from the page's lower left corner, in points of 1/72 inch. `size` is
    that of most of its letters, `column` a number that lines of one text box share."""

    text: str
    page: int
    box: int
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: bool
    slanted: bool


class Page(NamedTuple):
    """A page of a size in points: its lines in reading order, what is printed on it turned by a right angle, the
    addresses that it links to, and whether there are pictures on it."""

    number: int
    width: float
    height: float
    lines: list[Line]
    turned: str
    links: list[str]
    pictures: bool


def pages_of(document: PDFDocument) -> Iterator[Page]:
    """The pages of an open document, one at a time."""
    manager = PDFResourceManager()
    device = _Device(manager, laparams=LAParams())
    interpreter = PDFPageInterpreter(manager, device)
    for number, page in enumerate(PDFPage.create_pages(document)):
        device.turned.clear()
        interpreter.process_page(page)
        layout = device.get_result()
        boxes = list(layout)
        yield Page(
            number=number,
            width=layout.width,
            height=layout.height,
            lines=[line for box, item in enumerate(boxes) for line in _whole(list(_lines(item, number, box)))],
            turned="".join(device.turned),
            links=list(_links(page)),
            pictures=any(isinstance(item, LTImage | LTFigure) for item in boxes),
        )


class _Device(PDFPageAggregator):
    """Keeps letters that are turned out of the layout: a stamp on the margin would break into lines of one letter."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.turned: list[str] = []

    def render_char(self, matrix: Any, *given: Any) -> float:
        advance: float = super().render_char(matrix, *given)
        a, b, c, d = matrix[:4]
        if abs(b) + abs(c) > abs(a) + abs(d):
            letter = self.cur_item._objs.pop()
            self.turned.append(letter.get_text() if isinstance(letter, LTChar) else "")
        return advance


def _lines(item: Any, page: int, box: int) -> Iterator[Line]:
    if not hasattr(item, "__iter__") or isinstance(item, LTFigure):
        return
    for part in item:
        if not isinstance(part, LTTextLine):
            continue
        letters = [letter for letter in part if isinstance(letter, LTChar)]
        text = " ".join(part.get_text().translate(_LIGATURES).split())
        if not letters or not text:
            continue
        fonts = [letter.fontname.lower() for letter in letters]
        yield Line(
            text=text,
            page=page,
            box=box,
            x0=part.x0,
            y0=part.y0,
            x1=part.x1,
            y1=part.y1,
            size=round(statistics.median(letter.size for letter in letters), 1),
            bold=_most(fonts, _BOLD),
            slanted=_most(fonts, _SLANTED),
        )


def _whole(lines: list[Line]) -> Iterator[Line]:
    """The lines of a box, those that a wide space had broken made one."""
    held: list[Line] = []
    for line in lines:
        if held and (abs(line.y0 - held[0].y0) > 0.3 * line.size or line.size != held[0].size):
            yield _joined(held)
            held = []
        held.append(line)
    if held:
        yield _joined(held)


def _joined(parts: list[Line]) -> Line:
    parts = sorted(parts, key=lambda part: part.x0)
    return parts[0]._replace(text=" ".join(part.text for part in parts), x1=max(part.x1 for part in parts))


def _most(fonts: list[str], signs: tuple[str, ...]) -> bool:
    return 2 * sum(any(sign in font for sign in signs) for font in fonts) > len(fonts)


def _links(page: PDFPage) -> Iterator[str]:
    for reference in resolve1(page.annots) or []:
        note = resolve1(reference)
        action = resolve1(note.get("A")) if isinstance(note, dict) else None
        address = resolve1(action.get("URI")) if isinstance(action, dict) else None
        if isinstance(address, bytes):
            yield address.decode("utf-8", "replace")


MOST_ACROSS = 0.35
LEAST_ASIDE = 0.2
"""Of the characters of a paper in two columns, no more go across the gutter, and no fewer stand on each side of it."""

_MIDDLE = (0.4, 0.6)
_STEP = 2.0


def in_columns(pages: list[Page]) -> list[Page]:
    """The pages, each with its lines in the order of its columns; unchanged where the paper has not two."""
    gutter = _gutter(pages)
    return (
        pages if gutter is None else [page._replace(lines=_ordered(page.lines, gutter * page.width)) for page in pages]
    )


def _gutter(pages: list[Page]) -> float | None:
    """Where between the columns there is nothing, as a share of the page's width; None where there is no such place."""
    lines = [(line.x0 / page.width, line.x1 / page.width, len(line.text)) for page in pages for line in page.lines]
    total = sum(length for _, _, length in lines)
    steps = int((_MIDDLE[1] - _MIDDLE[0]) * 100 / _STEP * 2) + 1
    places = [_MIDDLE[0] + step * (_MIDDLE[1] - _MIDDLE[0]) / (steps - 1) for step in range(steps)]
    across = {
        place: sum(length for start, end, length in lines if start < place < end)
        for place in sorted(places, key=lambda place: abs(place - 0.5))
    }
    best = min(across, key=lambda place: across[place], default=0.5)
    left = sum(length for _, end, length in lines if end <= best)
    right = sum(length for start, _, length in lines if start >= best)
    fits = across[best] <= MOST_ACROSS * total and min(left, right) >= LEAST_ASIDE * total
    return best if total and fits else None


def _ordered(lines: list[Line], gutter: float) -> list[Line]:
    boxes: dict[int, list[Line]] = {}
    for line in lines:
        boxes.setdefault(line.box, []).append(line)
    across = [box for box in boxes.values() if any(line.x0 < gutter < line.x1 for line in box)]

    def place(box: list[Line]) -> tuple[int, int]:
        if box in across:
            return sum(other is not box and _top(other) > _top(box) for other in across), -1
        above = sum(_top(other) > _top(box) for other in across)
        return above - 1, int(box[0].x0 >= gutter)

    return [line for box in sorted(boxes.values(), key=place) for line in box]


def _top(box: list[Line]) -> float:
    return max(line.y1 for line in box)
