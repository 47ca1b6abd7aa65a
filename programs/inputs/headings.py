"""Headings of scientific texts (Markdown, LaTeX or plain), and which of them start a part with nothing to ask about."""

import re
from typing import Final, NamedTuple

REFERENCES: Final = "references"
ACKNOWLEDGEMENTS: Final = "acknowledgements"
APPENDIX: Final = "appendix"
CONTENTS: Final = "table of contents"
AUTHORS: Final = "author list"
STATEMENTS: Final = "statements about the paper"
"""Contributions, interests, data availability, ethics, keywords, licence and the like."""

NAMED_PART_LEVEL: Final = 9
"""The level of a part that is recognised only by its name: no heading encloses it, and it encloses none."""

_KIND_PATTERNS = {
    REFERENCES: r"references?(?: list| cited| and notes)?|notes and references|bibliography|(?:literature|works) cited",
    ACKNOWLEDGEMENTS: r"acknowledge?ments?(?: and [^.:]*)?|funding(?: information| sources?| statement)?"
    r"|sources? of funding|financial (?:support|disclosures?)",
    APPENDIX: r"(?:supplementary )?appendi(?:x|ces)(?: [a-z0-9]{1,3})?(?:\s*[:.–—-]\s.*)?",
    CONTENTS: r"(?:table of )?contents|list of (?:figures|tables|symbols)",
    AUTHORS: r"authors?|author (?:list|information|affiliations?)|authors and affiliations|affiliations",
    STATEMENTS: r"authors?['’]?s? contributions?|credit authorship contribution statement|contributors"
    r"|(?:declaration of )?(?:competing|conflicts? of|conflicting)(?: financial)? interests?(?: statement)?"
    r"|declarations?(?: of interests?)?|disclosures?|disclosure statement"
    r"|(?:data|code|software)(?: and (?:data|code|software))? availability(?: statement)?"
    r"|availability of (?:the )?(?:data|code|software)(?: and [^.:]*)?"
    r"|ethics(?: statement| approval)?(?: and consent[^.:]*)?|ethical approval|consent for publication"
    r"|informed consent(?: statement)?|institutional review board statement"
    r"|supplementary (?:materials?|information|data)|supporting information|additional information"
    r"|publisher['’]?s note|copyright|licen[cs]e|open access|rights and permissions|how to cite(?: this article)?"
    r"|orcid(?: ids?)?|about the authors?|correspondence|corresponding author|(?:list of )?(?:abbreviations|acronyms)"
    r"|key ?words(?: and phrases)?|index terms|pacs(?: numbers?)?|(?:clinical )?trial registration",
}
_SCIENCE_TITLE = re.compile(
    r"abstract|summary|introduction|background|related work|theory|models?|data|observations?|(?:materials? and )?methods?"
    r"|methodology|experiments?|simulations?|analysis|results?(?: and discussion)?|discussion(?: and conclusions?)?"
    r"|conclusions?|summary and conclusions?|limitations|outlook"
)
_NUMBER_PREFIX = re.compile(r"^(?:(?:\d+(?:\.\d+)*|[ivx]+|[a-h])[.)]\s+|\d+(?:\.\d+)*\s+|§\s*)", re.IGNORECASE)
_SECTION_NUMBER = re.compile(r"(\d{1,2}(?:\.\d{1,2})*|[IVX]{1,5})\.?\s+(?=[A-Z])")
_MARKDOWN_HEADING = re.compile(r"(#{1,6})\s*(.*?)\s*#*")
_BOLD_LINE = re.compile(r"(\*\*|__)(.{2,70}?)[.:]?\1[.:]?")
_LATEX_LEVELS = ("chapter", "section", "subsection", "subsubsection", "paragraph")
_LATEX_HEADING = re.compile(rf"\\({'|'.join(_LATEX_LEVELS)})\*?\s*\{{([^{{}}]*(?:\{{[^{{}}]*\}}[^{{}}]*)*)\}}")
_LATEX_COMMANDS = {
    r"\\appendix\b|\\begin\{append(?:ix|ices)\}": APPENDIX,
    r"\\begin\{thebibliography\}": REFERENCES,
    r"\\(?:begin\{)?acknowledge?ments?\b": ACKNOWLEDGEMENTS,
}
MAX_HEADING_CHARS = 80


class Heading(NamedTuple):
    level: int
    """A heading encloses those of larger levels. LaTeX chapters have 0, an appendix command -1."""
    title: str


def parse_heading(line: str) -> Heading | None:
    """Parses a line that is marked as a heading, or that is just the usual name of a part of a paper; None for others."""
    for pattern, kind in _LATEX_COMMANDS.items():
        if re.match(pattern, line):
            # Level -1: all later sections belong to the appendix.
            return Heading(-1 if kind == APPENDIX else NAMED_PART_LEVEL, kind.capitalize())
    if found := _MARKDOWN_HEADING.fullmatch(line):
        return Heading(len(found[1]), _without_markup(found[2]))
    if found := _LATEX_HEADING.match(line):
        return Heading(_LATEX_LEVELS.index(found[1]), _without_markup(found[2]))
    bold = _BOLD_LINE.fullmatch(line)
    if not bold and (len(line) > MAX_HEADING_CHARS or line[:1] in "-*•" or line[:1].islower()):
        return None
    title = _without_markup(bold[2] if bold else line)
    if left_out_kind(title):
        return Heading(NAMED_PART_LEVEL, title)
    return Heading(depth_of(title) or 1, title) if bold or _SCIENCE_TITLE.fullmatch(_normalized(title)) else None


def left_out_kind(title: str) -> str | None:
    """The kind of part with nothing to ask about that a heading with this title starts, or None."""
    words = _normalized(title)
    return next((kind for kind, pattern in _KIND_PATTERNS.items() if re.fullmatch(pattern, words)), None)


def depth_of(title: str) -> int | None:
    """The depth that a heading's number implies, from 1 ("2.1 Sample" has 2); None without a number."""
    number = _SECTION_NUMBER.match(title)
    return number[1].count(".") + 1 if number else None


def may_be_heading(line: str) -> bool:
    """Whether a line between blank lines may be a heading although nothing marks it as one."""
    short = len(line) <= MAX_HEADING_CHARS and len(line.split()) <= 12
    return short and (line[:1].isupper() or line[:1].isdigit()) and line[-1:] not in ".;,:?!"


def _without_markup(words: str) -> str:
    return words.strip("*_ \t").rstrip(":")


def _normalized(title: str) -> str:
    return " ".join(_NUMBER_PREFIX.sub("", title.strip("*_ ").lower()).split()).rstrip(".:")
