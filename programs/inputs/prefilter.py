"""`--prefilter`: leaves out of a text what there is nothing to ask about, by rules of form. Pure functions.

1. Parts with a heading (`headings`): references, acknowledgements and funding, appendices, tables of contents, author
   lists, statements about the paper. A marked heading (Markdown, LaTeX) goes as far as the next one of its level or a
   higher one; one that is known by its name alone, to the next heading of any kind.
2. Paragraphs: thanks without a heading, runs of entries of a list of references and of lines of a table of contents.
3. Lines: short statements with a label ("Funding: ..."), the LaTeX preamble and commands, copyright, page and submission
   lines.

What is left is the text that everything else sees: questions, evidence and its places refer to it. A text of which too
little is left is no sample.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import Final, NamedTuple

from programs.inputs import headings
from programs.inputs.headings import Heading, heading, looks_like_one
from programs.text.sentences import split

MARKUP: Final = "page and markup lines"
TOO_LITTLE: Final = "too little text"
LEAST_CHARACTERS: Final = 200
LEAST_WORDS: Final = 30

PROSE = 80
"""From so many characters on, a line that no other rule takes is prose."""

RUN = 3
"""So many lines of a kind in a row make a list of references or a table of contents."""

_THANKS = re.compile(
    r"\b(?:we|(?-i:I)|(?:the )?authors?|(?-i:[A-Z]\.?[-\s]?[A-Z]\.?(?:\s?[A-Z]\.?)?))\s(?:\w+\s){0,4}?"
    r"(?:thanks?\b(?! to\b)|(?:am|are|is) (?:\w+ )?(?:grateful|indebted)\b"
    r"|acknowledges?\b(?! that| (?:the |a |some |this )?(?:limit|possib|fact|need|import|exist|diffic|uncert|potential)))"
    r"|\b(?:this|the|our) (?:\w+ )?(?:work|research|study|project|paper|material|publication|trial)\b[^.]{0,90}"
    r"\b(?:supported|funded|financed|sponsored) (?:\w+ ){0,4}?by\b"
    r"|\b(?:supported|funded) (?:\w+ ){0,4}?by\b[^.]*"
    r"\b(?:grants?|award|contract|fellowship|foundation|council|institutes?)\b"
    r"|\backnowledges? (?:\w+ ){0,3}(?:support|funding)\b",
    re.IGNORECASE,
)
_MARKER = re.compile(r"\s*(?:\[\w{1,12}\]|\(?\d{1,3}[.)]|\\bibitem\S*|[-*•]|\d{1,3}\s(?=[A-Z]))\s*")
_NAMED_FIRST = re.compile(
    r"(?:[A-Z]\.[\s~-]?)*[A-Z][\w'’-]+,?\s+(?:[A-Z]\.|[A-Z]{1,3}[,.;\s]|[A-Z][\w'’-]+,)|(?:[A-Z]\.[\s~-]?)+[A-Z][\w'’-]+"
)
_YEAR = re.compile(r"\b(?:19|20)\d\d[a-z]?\b")
_ENTRY_SIGNS = [
    _YEAR,
    re.compile(r"\b\d+\s*(?:\(\d+\))?\s*[:,]\s*(?:pp?\.?\s*)?[A-Z]?\d+(?:\s*[-–]{1,2}\s*\d+)?\b"),
    re.compile(r"\b[A-Z][\w'’-]+,?\s+(?:[A-Z]\.\s?-?)+|(?:[A-Z]\.[\s~]?)+[A-Z][\w'’-]+|\b[A-Z][a-z]+ [A-Z]{1,2}[,.]"),
    re.compile(r"\bet al\b"),
    re.compile(r"\bdoi\b|\barxiv\b|https?://", re.IGNORECASE),
    re.compile(
        r"\b(?:ApJ|MNRAS|A&A|AJ|PASP|Phys\. ?Rev|Nature|Science|Lancet|JAMA|BMJ|Astrophys|Proc\.|Trans\.|Lett\.|Journal)"
    ),
    re.compile(r"\b(?:In:|eds?\.|Press\b|Ph\.?D\.? thesis|in prep|submitted)"),
]
_INLINE_ENTRY = re.compile(r"\[\d{1,3}\]\s+(?=[A-Z])")
_LEADERS = re.compile(r"\S.{0,120}?(?:(?:\s?\.){3,}|(?:\s…)+)\s*\d{1,4}")
_LONGEST_LINE = 300
_DATE = r"(?:\d{1,2}(?:st|nd|rd|th)?[\s.]\w{3,9}|\w{3,9}\.?\s\d{1,2}|\w{3,9}),?[\s.](?:19|20)\d\d|(?:19|20)\d\d[-\s]\w+"
_PAGE_LINE = re.compile(
    rf"(?=.{{0,{_LONGEST_LINE}}}\Z)(?:"
    r"©|(?:copyright )?\(c\)\s*(?:19|20)\d\d|copyright\s*(?:©|(?:19|20)\d\d|of\b|holder)|.*\ball rights reserved\b"
    r"|.*\bopen.access article\b.*\bunder\b|.*\bcreative commons attribution\b"
    r"|published by .{0,80}(?:elsevier|wiley|springer|press|publishing|ltd|inc|b\.v\.)"
    r"|(?:this )?(?:preprint|manuscript|draft)\b.{0,40}\b(?:typeset|submitted|prepared)\b|draft version\b|typeset using\b"
    r"|arxiv:\s*\S+(?:\s+\[[\w.-]+\])?.{0,30}$|downloaded from\b|page \d+(?: of \d+)?$|[-–]?\s?\d{1,4}\s?[-–]?$"
    rf"|(?:received|accepted|revised|published(?: online)?|available online|submitted)(?: on)?:?\s+(?:{_DATE})\b.{{0,120}}$"
    r"|e-?mail(?: address(?:es)?)?\s*:|\*?\s*corresponding author\b|(?:doi|issn|isbn)\s*:|to cite this\b"
    r"|publisher['’]?s note\b|(?:the online version of this article|electronic supplementary material)\b)",
    re.IGNORECASE,
)
_COMMANDS = {
    MARKUP: r"documentclass|usepackage|newcommand|renewcommand|providecommand|def|let|input|include|bibliography|date"
    r"|bibliographystyle|printbibliography|tableofcontents|maketitle|begin\{document\}|end\{document\}|end\{thebibliography\}"
    r"|end\{acknowledge?ments?\}|end\{append(?:ix|ices)\}|(?:vspace|hspace|noindent)\*?(?:\{[^{}]*\})?\s*$",
    headings.AUTHORS: r"author|(?:alt)?affil\w*|email|institute|address|correspondingauthor|collaboration|orcid\w*|thanks",
    headings.STATEMENTS: r"keywords|pacs|preprint|software|facilit(?:y|ies)",
}
_LINE_RULES = {
    **{re.compile(rf"\\(?:{form})(?![a-zA-Z])"): part for part, form in _COMMANDS.items()},
    _PAGE_LINE: MARKUP,
}
"""How a line begins that has nothing to ask about, and why."""


class Filtered(NamedTuple):
    """What is left of a text, and how many characters were left out for which reason."""

    text: str
    removed: dict[str, int]

    @property
    def why_nothing(self) -> str | None:
        """Why the text is no sample: what took most of it, or that there was little to begin with; None: it is one."""
        if len(self.text) >= LEAST_CHARACTERS and len(self.text.split()) >= LEAST_WORDS:
            return None
        return max(self.removed, key=lambda reason: self.removed[reason], default=TOO_LITTLE)


def prefilter(text: str) -> Filtered:
    """Leaves out of a cleaned text what the rules name. Idempotent; what stays is in its order and unchanged, but for
    blank lines where something was."""
    removed: Counter[str] = Counter()
    # What was apart may stand together now, and make a list.
    while True:
        written = text.split("\n")
        lines = [line.strip() for line in written]
        reasons = _reasons(lines)
        if not any(reasons):
            return Filtered(text, dict(removed))
        for line, reason in zip(lines, reasons, strict=True):
            removed.update({reason: len(line)} if reason else {})
        text = _without(written, reasons)


def _reasons(lines: list[str]) -> list[str | None]:
    """For each line why it is left out, None: it stays. Blank lines stay."""
    reasons: list[str | None] = [None] * len(lines)
    _mark_preamble(lines, reasons)
    _mark_sections(lines, reasons)
    _mark_thanks(lines, reasons)
    for rule, reason in ((_entry_of_references, headings.REFERENCES), (_LEADERS.fullmatch, headings.CONTENTS)):
        left = [number for number, line in enumerate(lines) if line and reasons[number] is None]
        for fits, group in groupby(left, key=lambda number: bool(rule(lines[number]))):
            run = list(group)
            if fits and len(run) >= RUN:
                reasons[run[0] : run[-1] + 1] = [found or reason for found in reasons[run[0] : run[-1] + 1]]
    latex = any(line.startswith(("\\begin{", "\\section", "\\documentclass")) for line in lines)
    return [
        (reason or _reason_of_line(line, latex=latex)) if line else None
        for line, reason in zip(lines, reasons, strict=True)
    ]


def _mark_preamble(lines: list[str], reasons: list[str | None]) -> None:
    """What stands before the text itself: a LaTeX preamble, a Markdown file's front matter."""
    end = next((n for n, line in enumerate(lines) if line.startswith("\\begin{document}")), None)
    if end is None and len(lines) > 1 and lines[0] == "---" and re.match(r"[\w-]+:(?:\s|$)", lines[1]):
        end = next((n for n, line in enumerate(lines) if n and line == "---"), None)
    if end is not None:
        reasons[: end + 1] = [MARKUP] * (end + 1)


def _mark_sections(lines: list[str], reasons: list[str | None]) -> None:
    """Parts with a heading, each as far as something ends it."""
    part: Heading | None = None
    # For each line the next one with something on it.
    followings = list(accumulate(reversed(lines), lambda later, line: line or later, initial=""))[-2::-1]
    for number, (line, following) in enumerate(zip(lines, followings, strict=True)):
        if not line:
            continue
        found = heading(line)
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
    if found.plain and part.kind == headings.CONTENTS:
        return len(following) >= PROSE and not _LEADERS.fullmatch(following)
    if found.plain:
        return part.plain or found.kind is not None
    return part.plain or found.level <= part.level or (found.kind is not None and part.level >= 0)


def _ends_early(lines: list[str], number: int, part: Heading, following: str) -> bool:
    """Where nothing marked ends a part: a table of contents at the first prose; a part known by its name alone at a line
    that stands alone before prose."""
    text = lines[number]
    if part.kind == headings.CONTENTS and len(text) >= PROSE and text[-1] in ".!?" and not _LEADERS.fullmatch(text):
        return True
    alone = not any(lines[max(0, number - 1) : number] + lines[number + 1 : number + 2])
    believed = part.plain and alone and number + 1 < len(lines) and looks_like_one(text) and heading(text) is None
    prose = len(following) >= PROSE and not _entry_of_references(following) and not _reason_of_line(following)
    return believed and prose and not _thanks(following) and _reason_of_line(text) is None


def _mark_thanks(lines: list[str], reasons: list[str | None]) -> None:
    """Paragraphs that no part has taken, between blank lines and headings, and that thank."""
    paragraph: list[int] = []
    for number, line in enumerate([*lines, ""]):
        if line and reasons[number] is None and heading(line) is None:
            paragraph.append(number)
        elif paragraph:
            if _thanks("\n".join(lines[one] for one in paragraph)):
                reasons[paragraph[0] : paragraph[-1] + 1] = [headings.ACKNOWLEDGEMENTS] * len(paragraph)
            paragraph = []


def _without(lines: Sequence[str], reasons: Sequence[str | None]) -> str:
    kept: list[str] = []
    gap = False
    for line, reason in zip(lines, reasons, strict=True):
        blank = not line.strip()
        if reason is None and not (gap and blank and (not kept or not kept[-1].strip())):
            kept.append(line)
        gap = reason is not None or (gap and blank)
    return "\n".join(kept).strip()


def _entry_of_references(line: str) -> bool:
    """Whether a line reads like one entry of a list of references, or like several of them."""
    inline = _INLINE_ENTRY.findall(line)
    if len(inline) >= RUN and _INLINE_ENTRY.match(line):
        return len(_YEAR.findall(line)) >= 0.6 * len(inline)
    if len(line) > 600 or line.startswith("\\bibitem"):
        return len(line) <= 600
    marker = _MARKER.match(line)
    rest = line[marker.end() :] if marker else line
    # A list item of prose may name people and years, but rarely begins with one and has a volume and pages too.
    signs = sum(bool(pattern.search(rest)) for pattern in _ENTRY_SIGNS)
    return bool(_NAMED_FIRST.match(rest)) and signs >= (3 if marker else 4)


def _reason_of_line(line: str, *, latex: bool = False) -> str | None:
    """Why a line by itself has nothing to ask about; None: it may have something. `latex`: what begins with a percent
    sign is a comment."""
    if latex and line.startswith("%"):
        return MARKUP
    if labelled := headings.statement(line):
        return labelled
    return next((why for form, why in _LINE_RULES.items() if form.match(line)), None)


def _thanks(paragraph: str) -> bool:
    """Whether a paragraph begins by thanking, and half of its sentences thank."""
    if not _THANKS.search(paragraph):
        return False
    thanking = [bool(_THANKS.search(paragraph[span.start : span.end])) for span in split(paragraph)]
    return thanking[0] and 2 * sum(thanking) >= len(thanking)
