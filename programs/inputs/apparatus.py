"""Paragraphs and lines of a scientific text that hold nothing to ask about, known by their own form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from programs.inputs.headings import ACKNOWLEDGEMENTS, AUTHORS, REFERENCES, STATEMENTS, TITLES, heading
from programs.text.sentences import split

NUMBERS: Final = "columns of numbers"
MARKUP: Final = "page and markup lines"

RUN = 3
"""So many lines of a kind in a row make a list of references, a table of contents or columns of numbers."""

_LABEL = re.compile(
    rf"(?:\*\*|__)?(?:(?P<ack>{TITLES[ACKNOWLEDGEMENTS]})|{TITLES[STATEMENTS]}|(?:clinical )?trial registration"
    r"|correspondence to|software|facilit(?:y|ies)|pacs(?: numbers?)?)(?:\*\*|__)?\s*[.:—–](?:\*\*|__)?\s*\S",
    re.IGNORECASE,
)
LONGEST_LABELLED = 300
"""Characters of a statement with a label. What is longer is prose that begins with such a word."""

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
_ENTRY_SIGNS = [
    re.compile(r"\b(?:19|20)\d\d[a-z]?\b"),
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
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_LEADERS = re.compile(r"\S.{0,120}?(?:(?:\s?\.){3,}|(?:\s…)+)\s*\d{1,4}")
_GAP = re.compile(r"(?P<title>\S.{0,120}?)(?:\t+\s*|(?<=\S)\s{2,})(?P<page>\d{1,4})")
_PLACE = re.compile(
    r"\b(?:Universit\w+|Institut\w*|Department|Dept\.|School of|Faculty of|Laborator\w+|Observator\w+|College|Hospital"
    r"|Centre for|Center for|Academy of|Division of)\b"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|we|has|have|had|show\w*|find|found|measur\w+|can|may|will|that|which|into|because)\b",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.{},+-]+@[\w-]+(?:\.[\w-]+)+")
_PERSON = re.compile(
    r"(?:(?:[A-Z]\.-?\s?)+|[A-Z][a-zà-ÿ'’-]+\s)(?:(?:[A-Z]\.?|[A-Z][a-zà-ÿ'’-]+|van|von|de|der|den|la|le|di|da|del)[\s-]?){1,4}"
    r"[\d,*†‡§¶a-z^${}()\s]{0,14}"
)
_BETWEEN_PEOPLE = re.compile(r"\s*(?:[,;·]\s*(?:and\s|&\s)?|\sand\s|\s&\s)\s*")
_DATE = r"(?:\d{1,2}(?:st|nd|rd|th)?[\s.]\w{3,9}|\w{3,9}\.?\s\d{1,2}|\w{3,9}),?[\s.](?:19|20)\d\d|(?:19|20)\d\d[-\s]\w+"
_PAGE_LINE = re.compile(
    r"©|(?:copyright )?\(c\)\s*(?:19|20)\d\d|copyright\s*(?:©|(?:19|20)\d\d|of\b|holder)|.*\ball rights reserved\b"
    r"|.*\bopen.access article\b.*\bunder\b|.*\bcreative commons attribution\b"
    r"|published by .{0,80}(?:elsevier|wiley|springer|press|publishing|ltd|inc|b\.v\.)"
    r"|(?:this )?(?:preprint|manuscript|draft)\b.{0,40}\b(?:typeset|submitted|prepared)\b|draft version\b|typeset using\b"
    r"|arxiv:\s*\S+(?:\s+\[[\w.-]+\])?.{0,30}$|downloaded from\b|page \d+(?: of \d+)?$|[-–]?\s?\d{1,4}\s?[-–]?$"
    rf"|(?:received|accepted|revised|published(?: online)?|available online|submitted)(?: on)?:?\s+(?:{_DATE})\b.{{0,120}}$"
    r"|e-?mail(?: address(?:es)?)?\s*:|\*?\s*corresponding author\b|(?:doi|issn|isbn)\s*:|to cite this\b"
    r"|publisher['’]?s note\b|(?:the online version of this article|electronic supplementary material)\b",
    re.IGNORECASE,
)
_LONGEST_LINE = 300
_SPEAKING = 40
_MARKUP_LINE = re.compile(
    r"\\(?:documentclass|usepackage|newcommand|renewcommand|providecommand|def|let|input|include|bibliography|bibliographystyle"
    r"|printbibliography|tableofcontents|maketitle|begin\{document\}|end\{document\}|date|shorttitle|shortauthors|pagestyle"
    r"|newpage|clearpage|onecolumn|twocolumn|graphicspath|hypersetup|setlength|end\{thebibliography\}"
    r"|end\{acknowledge?ments?\}|end\{append(?:ix|ices)\})(?![a-zA-Z])|\\(?:vspace|hspace|noindent)\*?(?:\{[^{}]*\})?\s*$"
)
_AUTHOR_COMMAND = re.compile(
    r"\\(?:author|affiliation|affil|altaffil\w*|email|institute|address|correspondingauthor|collaboration|orcid\w*|thanks)\b"
)
_STATEMENT_COMMAND = re.compile(r"\\(?:keywords|pacs|preprint|software|facilit(?:y|ies))\b")


_LINE_RULES = (
    (_MARKUP_LINE, MARKUP, None),
    (_AUTHOR_COMMAND, AUTHORS, None),
    (_STATEMENT_COMMAND, STATEMENTS, None),
    (_PAGE_LINE, MARKUP, _LONGEST_LINE),
)
"""How a line begins that has nothing to ask about, why, and the most characters that it may have."""


def entry_of_references(line: str) -> bool:
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


def line_of_contents(line: str) -> bool:
    """Whether a line reads like one of a table of contents: words, then dots or a gap, then a page."""
    return bool(_LEADERS.fullmatch(line) or _GAP.fullmatch(line))


def is_contents(lines: Sequence[str]) -> bool:
    """Whether lines that each read like one of a table of contents are one together: a table of results has gaps before its
    numbers too, but no dots, and no names of sections before numbers that never fall."""
    gaps = [found for line in lines if not _LEADERS.fullmatch(line) and (found := _GAP.fullmatch(line))]
    pages = [int(found["page"]) for found in gaps]
    rising = pages == sorted(pages) and any(heading(found["title"]) is not None for found in gaps)
    return rising or 2 * len(gaps) < len(lines)


def line_of_numbers(line: str) -> bool:
    """Whether a line holds little but numbers."""
    letters, digits = sum(map(str.isalpha, line)), sum(map(str.isdigit, line))
    return digits >= 6 and digits > 3 * letters


def reason_of_line(line: str, *, latex: bool = False) -> str | None:
    """Why a line by itself has nothing to ask about; None: it may have something. `latex`: what begins with a percent
    sign is a comment."""
    if latex and line.startswith("%"):
        return MARKUP
    rules = (why for form, why, most in _LINE_RULES if len(line) <= (most or len(line)) and form.match(line))
    return next(rules, None)


def speaks(line: str) -> bool:
    """Whether a line says something: lines beside it are then part of a paragraph, however they read alone."""
    return len(line) >= _SPEAKING and _VERB.search(line) is not None


def line_of_authors(line: str) -> bool:
    """Whether a line names people or the places where they work, and says nothing."""
    if len(line) <= _LONGEST_LINE and not line[:1].islower() and _PLACE.search(line) and not _VERB.search(line):
        return line.count(",") >= 2 or bool(_EMAIL.search(line))
    if len(line) > 3000 or line.count(",") < 3 or _VERB.search(line[:400]):
        return False
    parts = [part for part in _BETWEEN_PEOPLE.split(line.rstrip(". ")) if part.strip("0123456789*†‡§¶ ^{}$")]
    people = sum(bool(_PERSON.fullmatch(part + " ")) for part in parts)
    return len(parts) >= 4 and people >= 0.8 * len(parts)


def labelled(lines: Sequence[str]) -> tuple[int, str]:
    """How many of a paragraph's lines are a statement with a label ("Funding: ..."), and of which kind; 0: there is none.

    It is the first line, with those that go on with its sentence (in small letters, after a line without an end), as far as
    LONGEST_LABELLED; other lines of the paragraph are not of it.
    """
    label = _LABEL.match("\n".join(lines))
    if label is None or len(lines[0]) > LONGEST_LABELLED:
        return 0, ""
    count, size = 1, len(lines[0])
    for before, line in pairwise(lines):
        size += len(line) + 1
        if size > LONGEST_LABELLED or not line[:1].islower() or before[-1:] in ".!?":
            break
        count += 1
    return count, ACKNOWLEDGEMENTS if label["ack"] else STATEMENTS


def reason_of_paragraph(paragraph: str) -> str | None:
    """Why a paragraph as a whole has nothing to ask about; None: it may have something."""
    if _INLINE_ENTRY.match(paragraph) and entry_of_references(" ".join(paragraph.split())):
        return REFERENCES
    if not _THANKS.search(paragraph):
        return None
    thanking = [bool(_THANKS.search(paragraph[span.start : span.end])) for span in split(paragraph)]
    return ACKNOWLEDGEMENTS if thanking[0] and 2 * sum(thanking) >= len(thanking) else None
