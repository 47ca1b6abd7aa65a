"""Headings of a scientific text (Markdown, LaTeX or plain), and which of them open a part with nothing to ask about."""

import re
from typing import Final, NamedTuple

REFERENCES: Final = "references"
ACKNOWLEDGEMENTS: Final = "acknowledgements"
APPENDIX: Final = "appendix"
CONTENTS: Final = "table of contents"
AUTHORS: Final = "author list"
STATEMENTS: Final = "statements about the paper"
"""Contributions, interests, data availability, ethics, keywords, licence and the like."""

DEEPEST: Final = 9
"""The level of such a part that its name alone gives away: it stands under no heading, and none under it."""

_LEFT_OUT = {
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
_SCIENCE = re.compile(
    r"abstract|summary|introduction|background|related work|theory|models?|data|observations?|(?:materials? and )?methods?"
    r"|methodology|experiments?|simulations?|analysis|results?(?: and discussion)?|discussion(?: and conclusions?)?"
    r"|conclusions?|summary and conclusions?|limitations|outlook"
)
_NUMBER = re.compile(r"^(?:(?:\d+(?:\.\d+)*|[ivx]+|[a-h])[.)]\s+|\d+(?:\.\d+)*\s+|§\s*)", re.IGNORECASE)
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2})*|[IVX]{1,5})\.?\s+(?=[A-Z])")
_MARKDOWN = re.compile(r"(#{1,6})\s*(.*?)\s*#*")
_BOLD = re.compile(r"(\*\*|__)(.{2,70}?)[.:]?\1[.:]?")
_LATEX_LEVELS = ("chapter", "section", "subsection", "subsubsection", "paragraph")
_LATEX = re.compile(rf"\\({'|'.join(_LATEX_LEVELS)})\*?\s*\{{([^{{}}]*(?:\{{[^{{}}]*\}}[^{{}}]*)*)\}}")
_COMMAND = {
    r"\\appendix\b|\\begin\{append(?:ix|ices)\}": APPENDIX,
    r"\\begin\{thebibliography\}": REFERENCES,
    r"\\(?:begin\{)?acknowledge?ments?\b": ACKNOWLEDGEMENTS,
}
_LONGEST = 80


class Heading(NamedTuple):
    level: int
    """0 is the highest."""
    title: str


def heading(line: str) -> Heading | None:
    """The heading that a line is: marked as one, or, all by itself, the name of a part that papers have."""
    for pattern, kind in _COMMAND.items():
        if re.match(pattern, line):
            # What follows an appendix's command is all of it.
            return Heading(-1 if kind == APPENDIX else DEEPEST, kind.capitalize())
    if found := _MARKDOWN.fullmatch(line):
        return Heading(len(found[1]), _title(found[2]))
    if found := _LATEX.match(line):
        return Heading(_LATEX_LEVELS.index(found[1]), _title(found[2]))
    bold = _BOLD.fullmatch(line)
    if not bold and (len(line) > _LONGEST or line[:1] in "-*•" or line[:1].islower()):
        return None
    title = _title(bold[2] if bold else line)
    if kind_of(title):
        return Heading(DEEPEST, title)
    return Heading(depth_of(title) or 1, title) if bold or _SCIENCE.fullmatch(_plain(title)) else None


def kind_of(title: str) -> str | None:
    """What kind of part with nothing to ask about a heading of these words opens; None: there may be something."""
    words = _plain(title)
    return next((kind for kind, form in _LEFT_OUT.items() if re.fullmatch(form, words)), None)


def depth_of(title: str) -> int | None:
    """How deep a heading's number says that it stands, from 1; None without a number."""
    number = _NUMBERED.match(title)
    return number[1].count(".") + 1 if number else None


def looks_like_one(line: str) -> bool:
    """Whether a line that stands alone between blank ones may be a heading, although nothing marks it."""
    short = len(line) <= _LONGEST and len(line.split()) <= 12
    return short and (line[:1].isupper() or line[:1].isdigit()) and line[-1:] not in ".;,:?!"


def _title(words: str) -> str:
    return words.strip("*_ \t").rstrip(":")


def _plain(title: str) -> str:
    return " ".join(_NUMBER.sub("", title.strip("*_ ").lower()).split()).rstrip(".:")
