"""Markdown (.md): sections by its headings, as CommonMark finds them, and what its YAML front matter says.

The text stays Markdown: tables, formulas and links are as their author wrote them.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import yaml
from markdown_it import MarkdownIt

from programs.inputs.cleaning import clean
from programs.inputs.formats.fields import told
from programs.inputs.formats.paper import Mark, Paper, marked
from programs.inputs.formats.text import decoded

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def read(data: bytes) -> Paper:
    """The title is the front matter's, else that of the only heading of the first level."""
    text = clean(decoded(data))
    front = _FRONT_MATTER.match(text)
    said = _front_matter(front[1]) if front else None
    if front and said is not None:
        text = text[front.end() :].strip()
    marks = _marks(text)
    highest = [mark for mark in marks if mark.level == 1]
    title = highest[0].title if len(highest) == 1 and highest[0] is marks[0] else None
    known = told(said or {})
    return marked(text, marks, title=known.title or title, domain=known.domain, fields=known.fields)


def _marks(text: str) -> list[Mark]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    tokens = MarkdownIt("commonmark").parse(text)
    return [
        Mark(starts[opened.map[0]], int(opened.tag[1:]), inline.content.strip(" *_"))
        for opened, inline in pairwise(tokens)
        if opened.type == "heading_open" and opened.level == 0 and opened.map and inline.content.strip(" *_")
    ]


def _front_matter(words: str) -> dict[str, Any] | None:
    """What the front matter says; None where it is none, but a text between two lines."""
    try:
        said = yaml.safe_load(words)
    except yaml.YAMLError:
        return None
    return said if isinstance(said, dict) else None
