"""A document as it was read: one text with its sections and metadata."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from programs.inputs.cleaning import clean, clean_line
from programs.inputs.headings import NAMED_PART_LEVEL, left_out_kind
from programs.inputs.report import SkipReason, Unreadable


class Section(BaseModel, frozen=True):
    """`text[start:end]` of a paper, including its heading. `path`: the enclosing headings and its own, outermost first.
    `kind`: the kind of part with nothing to ask about (`headings`); None if there may be something."""

    path: tuple[str, ...]
    start: int
    end: int
    kind: str | None = None


class Paper(BaseModel, frozen=True):
    """Invariants: `text` is cleaned and not empty; `sections` are in order, do not overlap, and cover all of `text` except
    white space; every string encodes to UTF-8. `fields` are other metadata of the source: doi, arxiv_id, license, ..."""

    text: str
    sections: tuple[Section, ...]
    title: str | None = None
    domain: str | None = None
    fields: dict[str, Any] = {}


class HeadingMark(NamedTuple):
    """A heading at offset `start` of a text; a larger `level` is deeper. `kind` is used if `title` implies none."""

    start: int
    level: int
    title: str
    kind: str | None = None


class Block(NamedTuple):
    """A heading if `level` is set, else a paragraph."""

    text: str
    level: int | None = None
    kind: str | None = None


def paper_of(blocks: Iterable[Block], title: str | None = None, fields: dict[str, Any] | None = None) -> Paper:
    """Makes a paper from blocks, with a blank line between them. Raises `Unreadable` if there is no text."""
    parts: list[str] = []
    marks: list[HeadingMark] = []
    start = 0
    for block in blocks:
        # A soft hyphen marks where a word may be broken, but would keep searches from finding the word.
        words = block.text.replace("\xad", "")
        if text := clean(words) if block.level is None else clean_line(words):
            if block.level is not None:
                marks.append(HeadingMark(start, block.level, text, block.kind))
            parts.append(text)
            start += len(text) + 2
    return paper_with_headings("\n\n".join(parts), marks, title=title, fields=fields)


def paper_with_headings(
    text: str,
    marks: Sequence[HeadingMark],
    *,
    title: str | None = None,
    domain: str | None = None,
    fields: dict[str, Any] | None = None,
) -> Paper:
    """Makes a paper from a cleaned text and its headings, in order. Raises `Unreadable` if there is no text."""
    if not text.strip():
        raise Unreadable(SkipReason.NO_TEXT_IN_IT)
    title = clean_line(title or "") or None
    # The title is not the heading of a section.
    marks = marks[1:] if marks and marks[0].title == title else marks
    return Paper(
        text=text,
        sections=tuple(_sections(text, marks)),
        title=title,
        domain=clean_line(domain or "") or None,
        fields={name: value for name, value in (fields or {}).items() if value not in (None, "", [])},
    )


def _sections(text: str, marks: Sequence[HeadingMark]) -> Iterable[Section]:
    starts = [*(mark.start for mark in marks), len(text)]
    if not marks or text[: starts[0]].strip():
        yield Section(path=(), start=0, end=starts[0])
    above: list[HeadingMark] = []
    for mark, end in zip(marks, starts[1:], strict=True):
        above = [parent for parent in above if parent.level < mark.level < NAMED_PART_LEVEL]
        kind = left_out_kind(mark.title) or mark.kind or next((parent.kind for parent in above if parent.kind), None)
        above.append(mark._replace(kind=kind))
        yield Section(path=tuple(parent.title for parent in above), start=mark.start, end=end, kind=kind)
