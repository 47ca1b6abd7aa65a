"""A document as its reader understood it: one text with its sections, and what the source says of it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from programs.inputs.cleaning import clean, clean_line
from programs.inputs.headings import DEEPEST, kind_of
from programs.inputs.report import Skip, Unreadable


class Section(BaseModel, frozen=True):
    """`text[start:end]` of a paper, its heading included. `path` are the headings that it stands under, outermost first.
    `kind` is what `headings` calls a part with nothing to ask about; None: there may be something."""

    path: tuple[str, ...]
    start: int
    end: int
    kind: str | None = None


class Paper(BaseModel, frozen=True):
    """Invariants: `text` is cleaned and not empty; `sections` are in order, do not overlap, and cover all of `text` but
    white space; every string encodes to UTF-8. `fields` are what the source says besides: doi, arxiv_id, license, ..."""

    text: str
    sections: tuple[Section, ...]
    title: str | None = None
    domain: str | None = None
    fields: dict[str, Any] = {}


class Mark(NamedTuple):
    """A heading at `start` of a text: a larger `level` stands deeper. `kind`: what it opens where its words do not say."""

    start: int
    level: int
    title: str
    kind: str | None = None


class Block(NamedTuple):
    """A paragraph, or a heading where `level` is not None."""

    text: str
    level: int | None = None
    kind: str | None = None


def paper_of(blocks: Iterable[Block], title: str | None = None, fields: dict[str, Any] | None = None) -> Paper:
    """A paper of blocks, with a blank line between them. Raises `Unreadable` where there is no text."""
    parts: list[str] = []
    marks: list[Mark] = []
    start = 0
    for block in blocks:
        # A soft hyphen says where a word may be broken, and would break it for all who look for it.
        words = block.text.replace("\xad", "")
        if text := clean(words) if block.level is None else clean_line(words):
            if block.level is not None:
                marks.append(Mark(start, block.level, text, block.kind))
            parts.append(text)
            start += len(text) + 2
    return marked("\n\n".join(parts), marks, title=title, fields=fields)


def marked(
    text: str,
    marks: Sequence[Mark],
    *,
    title: str | None = None,
    domain: str | None = None,
    fields: dict[str, Any] | None = None,
) -> Paper:
    """A paper of a cleaned text and the headings in it, in order. Raises `Unreadable` where there is no text."""
    if not text.strip():
        raise Unreadable(Skip.NO_TEXT_IN_IT)
    title = clean_line(title or "") or None
    # A title is no heading of a section.
    marks = marks[1:] if marks and marks[0].title == title else marks
    return Paper(
        text=text,
        sections=tuple(_sections(text, marks)),
        title=title,
        domain=clean_line(domain or "") or None,
        fields={name: value for name, value in (fields or {}).items() if value not in (None, "", [])},
    )


def _sections(text: str, marks: Sequence[Mark]) -> Iterable[Section]:
    starts = [*(mark.start for mark in marks), len(text)]
    if not marks or text[: starts[0]].strip():
        yield Section(path=(), start=0, end=starts[0])
    above: list[Mark] = []
    for mark, end in zip(marks, starts[1:], strict=True):
        above = [parent for parent in above if parent.level < mark.level < DEEPEST]
        kind = kind_of(mark.title) or mark.kind or next((parent.kind for parent in above if parent.kind), None)
        above.append(mark._replace(kind=kind))
        yield Section(path=tuple(parent.title for parent in above), start=mark.start, end=end, kind=kind)
