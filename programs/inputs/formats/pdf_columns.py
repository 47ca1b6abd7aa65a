"""Pages in two columns, put into their reading order. Pure functions.

pdfminer orders the text boxes of a page by how near they are, which a figure or a table at the top of a column can mislead.
Where a paper is set in two columns, all of a page's left one therefore comes before all of its right one, apart for
each band between boxes that go across both. Within a column pdfminer's order stays.
"""

from __future__ import annotations

from programs.inputs.formats.pdf_lines import Line, Page

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
