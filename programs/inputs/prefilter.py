"""`--prefilter`: leaves out of a text what there is nothing to ask about, by rules of form. Pure functions.

1. Parts with a heading (`headings`): references, acknowledgements and funding, appendices, tables of contents, author
   lists, statements about the paper. A marked heading (Markdown, LaTeX) goes as far as the next one of its level or a
   higher one; one that is known by its name alone, to the next heading of any kind. A heading may also stand within a
   paragraph, where whole papers are one line: "... was found. Acknowledgements. We thank ...".
2. Paragraphs (`apparatus`): thanks without a heading, runs of entries of a list of references, of lines of a table of
   contents, of columns of numbers. Of a paragraph that begins with a labelled statement ("Funding: ...") that statement,
   where it is short; what follows it stays.
3. Lines: authors and affiliations, the LaTeX preamble and commands, copyright, page and submission lines.

What is left is the text that everything else sees: questions, evidence and its places refer to it. A text of which too
little is left is no sample.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, groupby, pairwise
from typing import Final, NamedTuple

from programs.inputs.apparatus import (
    MARKUP,
    NUMBERS,
    RUN,
    entry_of_references,
    is_contents,
    labelled,
    line_of_authors,
    line_of_contents,
    line_of_numbers,
    reason_of_line,
    reason_of_paragraph,
    speaks,
)
from programs.inputs.headings import AUTHORS, CONTENTS, REFERENCES, Heading, heading, looks_like_one

TOO_LITTLE: Final = "too little text"
LEAST_CHARACTERS: Final = 200
LEAST_WORDS: Final = 30

PROSE = 80
"""From so many characters on, a line that no other rule takes is prose: after it, a heading is believed."""

_WITHIN = re.compile(
    r"(?<=[.!?)\]])\s+(?="
    r"(?:Acknowledge?ments?|ACKNOWLEDGE?MENTS?)\s?[.:]?\s+(?:We|The authors?|This|I|It is|Funding|Support)\b"
    r"|(?:References|REFERENCES|Bibliography|BIBLIOGRAPHY)\s*:?\s+(?:\[1\]|\(?1[.)]\s|[A-Z][\w'’-]+,?\s+[A-Z]\.)"
    r"|(?:(?i:(?:clinical )?trial registration)\s*[:.]|The online version of this article\b|Copyright\b|©"
    r"|\([cC]\)\s*(?:19|20)\d\d|All rights reserved|Published by\b).{0,300}$)",
    re.MULTILINE,
)
_FRONT_MATTER = re.compile(r"[\w-]+:(?:\s|$)")
_NAME = re.compile(r"(Acknowledge?ments?|References|Bibliography)\b", re.IGNORECASE)


class Filtered(NamedTuple):
    """What is left of a text, and how many characters were left out for which reason."""

    text: str
    removed: dict[str, int]

    @property
    def why_nothing(self) -> str | None:
        """Why the text is no sample: the reason that took most of it, or that there was little to begin with; None: it is
        one."""
        if len(self.text) >= LEAST_CHARACTERS and len(self.text.split()) >= LEAST_WORDS:
            return None
        return max(self.removed, key=lambda reason: self.removed[reason], default=TOO_LITTLE)


class _Line(NamedTuple):
    start: int
    end: int
    text: str
    """Without the space around it."""
    cut: bool
    """Whether it begins within a line, at a heading there."""


def prefilter(text: str) -> Filtered:
    """Leaves out of a cleaned text what the rules name. Idempotent; what stays is in its order and unchanged, but for
    blank lines where something was."""
    removed: Counter[str] = Counter()
    # What was apart may stand together now, and make a list.
    while True:
        lines = list(_lines(text))
        reasons = _reasons(lines)
        if not any(reasons):
            return Filtered(text, dict(removed))
        for line, reason in zip(lines, reasons, strict=True):
            removed.update({reason: len(line.text)} if reason else {})
        text = _without(text, lines, reasons)


def _lines(text: str) -> Iterator[_Line]:
    """The lines of a text, cut once more before a heading within."""
    start = 0
    for line in text.split("\n"):
        cuts = [0, *(match.end() for match in _WITHIN.finditer(line)), len(line)]
        for begin, end in pairwise(cuts):
            yield _Line(start + begin, start + end, line[begin:end].strip(), begin > 0)
        start += len(line) + 1


def _reasons(lines: list[_Line]) -> list[str | None]:
    """For each line why it is left out, None: it stays. Blank lines stay."""
    reasons: list[str | None] = [None] * len(lines)
    _mark_preamble(lines, reasons)
    _mark_sections(lines, reasons)
    _mark_paragraphs(lines, reasons)
    for rule, reason in ((entry_of_references, REFERENCES), (line_of_contents, CONTENTS), (line_of_numbers, NUMBERS)):
        left = [number for number, line in enumerate(lines) if line.text and reasons[number] is None]
        for fits, group in groupby(left, key=lambda number: rule(lines[number].text)):
            run = list(group)
            if fits and len(run) >= RUN and (reason != CONTENTS or is_contents([lines[n].text for n in run])):
                reasons[run[0] : run[-1] + 1] = [found or reason for found in reasons[run[0] : run[-1] + 1]]
    latex = any(line.text.startswith(("\\begin{", "\\section", "\\documentclass")) for line in lines)
    return [
        (reason or reason_of_line(line.text, latex=latex)) if line.text else None
        for line, reason in zip(lines, reasons, strict=True)
    ]


def _mark_preamble(lines: list[_Line], reasons: list[str | None]) -> None:
    """What stands before the text itself: a LaTeX preamble, a Markdown file's front matter."""
    end = next((n for n, line in enumerate(lines) if line.text.startswith("\\begin{document}")), None)
    if end is None and len(lines) > 1 and lines[0].text == "---" and _FRONT_MATTER.match(lines[1].text):
        end = next((n for n, line in enumerate(lines) if n and line.text == "---"), None)
    if end is not None:
        reasons[: end + 1] = [MARKUP] * (end + 1)


def _mark_sections(lines: list[_Line], reasons: list[str | None]) -> None:
    """Parts with a heading, each as far as something ends it."""
    part: Heading | None = None
    # For each line the next one with something on it.
    followings = list(accumulate(reversed(lines), lambda later, line: line.text or later, initial=""))[-2::-1]
    for number, (line, following) in enumerate(zip(lines, followings, strict=True)):
        if not line.text:
            continue
        name = _NAME.match(line.text) if line.cut else None
        # Within a paragraph the name is the heading, and what follows it stands on the same line.
        found = heading(line.text) or (heading(name[0]) if name else None)
        if part is not None and (found is not None and _ends(found, part, following)):
            part = None
        if part is not None and _ends_early(lines, number, part, following):
            part = None
        if part is None and found is not None and found.kind is not None:
            part = found
        if part is not None:
            reasons[number] = reasons[number] or part.kind


def _ends(found: Heading, part: Heading, following: str) -> bool:
    """Whether a heading ends a part: one of a removed kind opens its own. A table of contents names other parts."""
    if found.plain and part.kind == CONTENTS:
        return len(following) >= PROSE and not line_of_contents(following)
    if found.plain:
        return part.plain or found.kind is not None
    return part.plain or found.level <= part.level or (found.kind is not None and part.level >= 0)


def _ends_early(lines: list[_Line], number: int, part: Heading, following: str) -> bool:
    """Where nothing marked ends a part: a table of contents at the first prose; a part known by its name alone at a line
    that stands alone before prose."""
    text = lines[number].text
    if part.kind == CONTENTS and len(text) >= PROSE and text[-1] in ".!?" and not line_of_contents(text):
        return True
    alone = not any(line.text for line in [*lines[max(0, number - 1) : number], *lines[number + 1 : number + 2]])
    if not (part.plain and alone and number + 1 < len(lines) and looks_like_one(text)) or heading(text) is not None:
        return False
    prose = len(following) >= PROSE and not entry_of_references(following) and not labelled([following])[0]
    return prose and reason_of_paragraph(following) is None and reason_of_line(text) is None


def _mark_paragraphs(lines: list[_Line], reasons: list[str | None]) -> None:
    """Runs of lines that no part has taken, between blank lines, headings and cuts."""
    paragraph: list[int] = []
    for number, line in enumerate([*lines, _Line(0, 0, "", False)]):
        open_line = line.text and reasons[number] is None and heading(line.text) is None
        if paragraph and (line.cut or not open_line):
            _mark_paragraph(paragraph, lines, reasons)
            paragraph = []
        if open_line:
            paragraph.append(number)


def _mark_paragraph(numbers: list[int], lines: list[_Line], reasons: list[str | None]) -> None:
    count, kind = labelled([lines[number].text for number in numbers])
    for number in numbers[:count]:
        reasons[number] = kind
    rest = {number: lines[number].text for number in numbers[count:]}
    reason = reason_of_paragraph("\n".join(rest.values()))
    silent = not any(map(speaks, rest.values()))
    for number, text in rest.items():
        reasons[number] = reason or (AUTHORS if silent and line_of_authors(text) else None)


def _without(text: str, lines: list[_Line], reasons: list[str | None]) -> str:
    kept: list[str] = []
    gap = False
    for number, (line, reason) in enumerate(zip(lines, reasons, strict=True)):
        if reason is not None:
            gap = True
            continue
        if gap and not line.text and (not kept or not kept[-1].strip()):
            continue
        gap = gap and not line.text
        piece = text[line.start : line.end]
        if line.cut and kept and reasons[number - 1] is None:
            kept[-1] += piece
        else:
            cut_after = number + 1 < len(lines) and lines[number + 1].cut
            kept.append(piece.rstrip() if cut_after else piece)
    return "\n".join(kept).strip()
