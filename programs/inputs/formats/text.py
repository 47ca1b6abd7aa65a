"""Plain text (.txt): its sections by the headings that papers have."""

from __future__ import annotations

import codecs
import re

from programs.inputs.cleaning import clean
from programs.inputs.formats.paper import Mark, Paper, Unreadable, marked
from programs.inputs.headings import PLAIN, heading, looks_like_one
from programs.inputs.report import BAD_UTF8

_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2})*|[IVX]{1,5})\.?\s+(?=[A-Z])")
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read(data: bytes) -> Paper:
    """The text as it stands, cleaned."""
    return sectioned(decoded(data))


def decoded(data: bytes) -> str:
    """The words of a file in UTF-8, or in UTF-16 with its mark. Raises `Unreadable` for any other."""
    encoding = next((name for mark, name in _BOMS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(BAD_UTF8) from error


def sectioned(text: str) -> Paper:
    """A text with the sections that its lines open: headings that are marked as such (Markdown, LaTeX), names of parts that
    papers have, and numbered lines that stand alone. Raises `Unreadable` where there is no text."""
    text = clean(text)
    marks, start = [], 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        alone = (
            not "".join(lines[max(0, number - 1) : number]).strip()
            and not "".join(lines[number + 1 : number + 2]).strip()
        )
        level = _level(line.strip(), alone)
        if level is not None:
            marks.append(Mark(start, level, _title(line)))
        start += len(line) + 1
    return marked(text, marks)


def depth_of(title: str) -> int | None:
    """How deep a heading's number says that it stands, from 1; None without a number."""
    number = _NUMBERED.match(title)
    return number[1].count(".") + 1 if number else None


def _level(line: str, alone: bool) -> int | None:
    if not line:
        return None
    found = heading(line)
    if found is None:
        return depth_of(line) if alone and looks_like_one(line) else None
    # What nothing marks, and no number, stands on the first level.
    return found.level if found.level != PLAIN else depth_of(line) or 1


def _title(line: str) -> str:
    braced = re.match(r"\s*\\\w+\*?\s*\{(.*)\}", line)
    return (braced[1] if braced else line).strip().strip("#*_ ").rstrip(":")
