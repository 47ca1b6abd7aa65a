"""Reads plain text (.txt) and Markdown (.md). The text stays as its author wrote it; headings delimit sections."""

import codecs
import contextlib
import re
from itertools import accumulate, pairwise
from typing import Any

import yaml

from programs.inputs.cleaning import clean, to_json_value
from programs.inputs.formats.paper import HeadingMark, Paper, paper_with_headings
from programs.inputs.headings import (
    NAMED_PART_LEVEL,
    REFERENCES,
    Heading,
    depth_of,
    left_out_kind,
    may_be_heading,
    parse_heading,
)
from programs.inputs.report import SkipReason, Unreadable

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)

MIN_PROSE_LINE = 80
"""A line of at least this many characters is prose."""


def decode_text(data: bytes) -> str:
    """Decodes UTF-8, or UTF-16 with a byte order mark. Raises `Unreadable` for any other encoding."""
    try:
        return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(SkipReason.BAD_UTF8) from error


def read_text(data: bytes) -> Paper:
    return split_into_sections(decode_text(data))


def split_into_sections(text: str) -> Paper:
    """Splits a text into sections at its headings: lines marked as such (Markdown, LaTeX), usual names of parts of papers,
    and lines that stand alone and either are numbered or end a part. Raises `Unreadable` if there is no text."""
    text = clean(text)
    marks: list[HeadingMark] = []
    start = 0
    lines = ["", *text.split("\n"), "", ""]
    for number, raw in enumerate(lines[1:-2], start=1):
        line = raw.strip()
        found = parse_heading(line) if line else None
        if found is None and may_be_heading(line) and not (lines[number - 1] + lines[number + 1]).strip():
            # A line before prose ends a part recognised by its name alone, but not references, whose entries are long too.
            last = marks[-1] if marks else None
            before_prose = len(lines[number + 2]) >= MIN_PROSE_LINE
            ends_part = last and last.level == NAMED_PART_LEVEL and left_out_kind(last.title) != REFERENCES
            depth = depth_of(line) or (NAMED_PART_LEVEL if ends_part and before_prose else None)
            found = Heading(depth, line) if depth else None
        if found is not None:
            marks.append(HeadingMark(start, *found))
        start += len(raw) + 1
    return paper_with_headings(text, marks)


def read_markdown(data: bytes) -> Paper:
    """Sections are those that CommonMark finds. Title, domain and fields come from the YAML front matter; if it has no
    title, the only first-level heading is used, provided that no other heading comes before it."""
    text = clean(decode_text(data))
    metadata: dict[str, Any] = {}
    if front := _FRONT_MATTER.match(text):
        with contextlib.suppress(yaml.YAMLError):
            try:
                found = yaml.safe_load(front[1])
            except ValueError:  # for example, an impossible date
                found = yaml.load(front[1], yaml.BaseLoader)
            # Anything else is text between two horizontal rules.
            if isinstance(found, dict):
                metadata = found
                text = text[front.end() :].strip()
    marks = _marks(text)
    single_top_heading = [mark.level for mark in marks].count(1) == 1 and marks[0].level == 1
    fields = to_json_value(metadata)
    given = {key: fields.pop(key) for key in list(fields) if key.lower() in ("title", "domain")}
    strings = {key.lower(): value for key, value in given.items() if isinstance(value, str)}
    title = strings.get("title") or (marks[0].title if single_top_heading else None)
    return paper_with_headings(text, marks, title=title, domain=strings.get("domain"), fields=fields)


def _marks(text: str) -> list[HeadingMark]:
    from markdown_it import MarkdownIt

    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    marks = []
    for opening, inline in pairwise(MarkdownIt("commonmark").parse(text)):
        title = inline.content.strip(" *_")
        if opening.type == "heading_open" and opening.level == 0 and opening.map and title:
            marks.append(HeadingMark(starts[opening.map[0]], int(opening.tag[1:]), title))
    return marks
