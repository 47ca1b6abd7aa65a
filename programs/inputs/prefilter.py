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
        removed.update(_sizes(lines, reasons))
        text = _without(text, lines, reasons)


def _lines(text: str) -> Iterator[_Line]:
    """The lines of a text, cut once more before a heading within."""
    start = 0
    for line in text.split("\n"):
        cuts = [match.end() for match in _WITHIN.finditer(line)]
        for begin, end in zip([0, *cuts], [*cuts, len(line)], strict=True):
            yield _Line(start + begin, start + end, line[begin:end].strip())
        start += len(line) + 1


def _reasons(lines: list[_Line]) -> list[str | None]:
    """For each line why it is left out, None: it stays. Blank lines stay."""
    reasons: list[str | None] = [None] * len(lines)
    _mark_preamble(lines, reasons)
    _mark_sections(lines, reasons)
    _mark_paragraphs(lines, reasons)
    for rule, reason in (
        (entry_of_references, REFERENCES),
        (line_of_contents, CONTENTS),
        (line_of_numbers, NUMBERS),
    ):
        open_lines = [number for number, line in enumerate(lines) if line.text and reasons[number] is None]
        for run in _runs([number for number in open_lines if rule(lines[number].text)], open_lines):
            if len(run) >= RUN and (reason != CONTENTS or is_contents([lines[number].text for number in run])):
                reasons[run[0] : run[-1] + 1] = [reasons[n] or reason for n in range(run[0], run[-1] + 1)]
    latex = any(line.text.startswith(("\\begin{", "\\section", "\\documentclass")) for line in lines)
    for number, line in enumerate(lines):
        if line.text and reasons[number] is None:
            reasons[number] = reason_of_line(line.text, latex=latex)
    return [reason if line.text else None for line, reason in zip(lines, reasons, strict=True)]


def _mark_preamble(lines: list[_Line], reasons: list[str | None]) -> None:
    """What stands before the text itself: a LaTeX preamble, a Markdown file's front matter."""
    end = next((n for n, line in enumerate(lines) if line.text.startswith("\\begin{document}")), None)
    if end is None and len(lines) > 1 and lines[0].text == "---" and _FRONT_MATTER.match(lines[1].text):
        end = next((n for n, line in enumerate(lines) if n and line.text == "---"), None)
    if end is not None:
        reasons[: end + 1] = [MARKUP] * (end + 1)


def _mark_sections(lines: list[_Line], reasons: list[str | None]) -> None:
    open_part: Heading | None = None
    for number, line in enumerate(lines):
        if not line.text:
            continue
        found = _heading_at(lines, number)
        if open_part is not None and found is not None and _ends(found, open_part, _following(lines, number)):
            open_part = None
        if open_part is not None and _ends_early(lines, number, open_part):
            open_part = None
        if open_part is None and found is not None and found.kind is not None:
            open_part = found
        if open_part is not None:
            reasons[number] = reasons[number] or open_part.kind


def _heading_at(lines: list[_Line], number: int) -> Heading | None:
    found = heading(lines[number].text)
    if found is not None:
        return found
    if number and lines[number].start == lines[number - 1].end and (name := _NAME.match(lines[number].text)):
        # Within a paragraph: the name is the heading, and what follows it stands on the same line.
        return heading(name[0])
    return None


def _ends(found: Heading, part: Heading, following: str) -> bool:
    """Whether a heading ends a part: one of a removed kind opens its own. A table of contents names other parts."""
    if found.plain and part.kind == CONTENTS:
        return len(following) >= PROSE and not line_of_contents(following)
    if found.plain:
        return part.plain or found.kind is not None
    return part.plain or found.level <= part.level or (found.kind is not None and part.level >= 0)


def _ends_early(lines: list[_Line], number: int, part: Heading) -> bool:
    """Where nothing marked ends a part: a table of contents at the first prose; a part known by its name alone at a line
    that stands alone before prose."""
    text = lines[number].text
    if part.kind == CONTENTS and len(text) >= PROSE and text[-1] in ".!?" and not line_of_contents(text):
        return True
    if not part.plain or not looks_like_one(text) or heading(text) is not None:
        return False
    alone = (number == 0 or not lines[number - 1].text) and number + 1 < len(lines) and not lines[number + 1].text
    following = _following(lines, number)
    prose = len(following) >= PROSE and not entry_of_references(following) and not labelled([following])[0]
    return alone and prose and reason_of_paragraph(following) is None and reason_of_line(text) is None


def _following(lines: list[_Line], number: int) -> str:
    """The next line with something on it."""
    return next((lines[n].text for n in range(number + 1, len(lines)) if lines[n].text), "")


def _mark_paragraphs(lines: list[_Line], reasons: list[str | None]) -> None:
    paragraph: list[int] = []
    for number in range(len(lines) + 1):
        if paragraph and number < len(lines) and lines[number].start == lines[number - 1].end:
            # A line that was cut: what follows the cut stands for itself.
            _mark_paragraph(paragraph, lines, reasons)
            paragraph = []
        if (
            number < len(lines)
            and lines[number].text
            and reasons[number] is None
            and heading(lines[number].text) is None
        ):
            paragraph.append(number)
        elif paragraph:
            _mark_paragraph(paragraph, lines, reasons)
            paragraph = []


def _mark_paragraph(numbers: list[int], lines: list[_Line], reasons: list[str | None]) -> None:
    count, kind = labelled([lines[number].text for number in numbers])
    for number in numbers[:count]:
        reasons[number] = kind
    numbers = numbers[count:]
    reason = reason_of_paragraph("\n".join(lines[number].text for number in numbers))
    silent = not any(speaks(lines[number].text) for number in numbers)
    for number in numbers:
        reasons[number] = reason or (AUTHORS if silent and line_of_authors(lines[number].text) else None)


def _runs(found: list[int], among: list[int]) -> Iterator[list[int]]:
    """Those of `found` that follow one another in `among`, in groups."""
    place = {number: index for index, number in enumerate(among)}
    run: list[int] = []
    for number in found:
        if run and place[number] != place[run[-1]] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _sizes(lines: list[_Line], reasons: list[str | None]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for line, reason in zip(lines, reasons, strict=True):
        if reason is not None:
            sizes[reason] += len(line.text)
    return sizes


def _without(text: str, lines: list[_Line], reasons: list[str | None]) -> str:
    kept: list[str] = []
    gap = False
    for number, (line, reason) in enumerate(zip(lines, reasons, strict=True)):
        if reason is not None:
            gap = True
            continue
        continues = number > 0 and line.start == lines[number - 1].end
        if gap and not line.text and (not kept or not kept[-1].strip()):
            continue
        gap = gap and not line.text
        piece = text[line.start : line.end]
        if continues and kept and reasons[number - 1] is None:
            kept[-1] += piece
        else:
            kept.append(piece.rstrip() if number + 1 < len(lines) and lines[number + 1].start == line.end else piece)
    return "\n".join(kept).strip()
