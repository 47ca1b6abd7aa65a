"""Plain text (.txt), and Markdown (.md), whose text stays as its author wrote it: sections by their headings."""

import codecs
import contextlib
import re
from itertools import accumulate, pairwise
from typing import Any

import yaml

from programs.inputs.cleaning import clean, portable
from programs.inputs.formats.paper import Mark, Paper, marked
from programs.inputs.headings import DEEPEST, REFERENCES, Heading, depth_of, heading, kind_of, looks_like_one
from programs.inputs.report import Skip, Unreadable

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)

PROSE = 80
"""Characters of a line from which on it is prose."""


def decoded(data: bytes) -> str:
    """The words of a file in UTF-8, or in UTF-16 with its mark. Raises `Unreadable` for any other."""
    try:
        return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(Skip.BAD_UTF8) from error


def read_text(data: bytes) -> Paper:
    return sectioned(decoded(data))


def sectioned(text: str) -> Paper:
    """A text with the sections that its lines open: headings that are marked as such (Markdown, LaTeX), names of parts that
    papers have, and lines that stand alone and are numbered, or end a part. Raises `Unreadable` where there is no text."""
    text = clean(text)
    marks: list[Mark] = []
    start, lines = 0, ["", *text.split("\n"), "", ""]
    for number, written in enumerate(lines[1:-2], start=1):
        line = written.strip()
        found = heading(line) if line else None
        if found is None and looks_like_one(line) and not (lines[number - 1] + lines[number + 1]).strip():
            # Prose after a part that its name alone gives away, unless that is references, whose entries are none.
            named = bool(marks) and marks[-1].level == DEEPEST and kind_of(marks[-1].title) != REFERENCES
            depth = depth_of(line) or (DEEPEST if named and len(lines[number + 2]) >= PROSE else None)
            found = Heading(depth, line) if depth else None
        if found is not None:
            marks.append(Mark(start, *found))
        start += len(written) + 1
    return marked(text, marks)


def read_markdown(data: bytes) -> Paper:
    """Sections as CommonMark finds them. Title and fields are those of the YAML front matter; without it, the title is the
    only heading of the first level."""
    text = clean(decoded(data))
    said: dict[str, Any] = {}
    if front := _FRONT_MATTER.match(text):
        with contextlib.suppress(yaml.YAMLError):
            try:
                found = yaml.safe_load(front[1])
            except ValueError:  # a date that no calendar has, say
                found = yaml.load(front[1], yaml.BaseLoader)
            # Anything else is a text between two lines.
            if isinstance(found, dict):
                said, text = found, text[front.end() :].strip()
    marks = _marks(text)
    alone = [mark.level for mark in marks].count(1) == 1 and marks[0].level == 1
    fields = portable(said)
    given = {key: fields.pop(key) for key in list(fields) if key.lower() in ("title", "domain")}
    words = {key.lower(): value for key, value in given.items() if isinstance(value, str)}
    title = words.get("title") or (marks[0].title if alone else None)
    return marked(text, marks, title=title, domain=words.get("domain"), fields=fields)


def _marks(text: str) -> list[Mark]:
    from markdown_it import MarkdownIt

    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    return [
        Mark(starts[opened.map[0]], int(opened.tag[1:]), inline.content.strip(" *_"))
        for opened, inline in pairwise(MarkdownIt("commonmark").parse(text))
        if opened.type == "heading_open" and opened.level == 0 and opened.map and inline.content.strip(" *_")
    ]
