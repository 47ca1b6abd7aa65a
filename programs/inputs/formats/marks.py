"""What papers print about themselves: their DOI, arXiv identifier and licence. Pure functions.

DOI: the form that Crossref recommends to search for (10. and four to nine digits, a slash, a name), after the word "doi" or
in an address of doi.org, since a paper's first page may cite others. arXiv: the stamp on the margin ("arXiv:2401.01234v2
[astro-ph.CO] 3 Jan 2024"), or a file's name. Licence: an address of creativecommons.org, or "CC BY 4.0" and the like.
"""

from __future__ import annotations

import re

from programs.inputs.cleaning import clean_line

_DOI = re.compile(r"\b(?:doi(?:\.org)?\s*[:/]?\s*|digital object identifier\s*:?\s*)+(10\.\d{4,9}/[^\s\"'<>]+)", re.I)
_ARXIV = re.compile(r"\barXiv:\s?(\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?)")
_ARXIV_NAME = re.compile(r"(?:arxiv[-_.]?)?(\d{4}\.\d{4,5}(?:v\d+)?)", re.I)
_CC_ADDRESS = re.compile(r"(?:https?://)?creativecommons\.org/(?:licenses/[a-z-]+|publicdomain/zero)/\d\.\d", re.I)
_CC_NAME = re.compile(r"\bCC[ -](?:BY(?:[ -](?:NC|SA|ND)){0,2}|0)(?:[ -]\d\.\d)\b")
_CC_WORDS = re.compile(
    r"\bCreative Commons\s+"
    r"(Attribution(?:[\s-]+(?:Non-?Commercial|Share-?Alike|No-?Deriv(?:atives|s)))*(?:\s+\d\.\d)?)\b",
    re.I,
)


def doi_in(text: str) -> str | None:
    """The DOI that a text gives as one, in small letters."""
    found = _DOI.search(text)
    if not found:
        return None
    doi = found[1].rstrip(".,;:").lower()
    # A bracket that was opened before it closes after it.
    return doi.rstrip(")]") if doi.count("(") < doi.count(")") or doi.count("[") < doi.count("]") else doi


def arxiv_in(text: str) -> str | None:
    """The arXiv identifier that a text is stamped with."""
    found = _ARXIV.search(text)
    return found[1] if found else None


def arxiv_of_name(stem: str) -> str | None:
    """The arXiv identifier that is all of a file's name, without its ending."""
    found = _ARXIV_NAME.fullmatch(stem)
    return found[1] if found else None


def licence_in(text: str) -> str | None:
    """The Creative Commons licence that a text names."""
    address = _CC_ADDRESS.search(text)
    if address:
        return address[0]
    name = _CC_NAME.search(text)
    if name:
        return name[0]
    words = _CC_WORDS.search(" ".join(text.split()))
    return f"Creative Commons {words[1]}" if words else None


_NO_TITLE = re.compile(
    r"untitled.*|no title|title|document\d*|manuscript|main|paper|article|template|microsoft word\b.*|layout \d+|slide \d+"
    r"|powerpoint presentation|.*\.(?:docx?|tex|dvi|pdf|indd|ps|eps|qxd|rtf)|[\w.-]*\d[\w.-]*",
    re.IGNORECASE,
)


def usable_title(words: str | None) -> str | None:
    """The title, on one line, or None where it is a name of a file, a program's own words, or a single word."""
    title = clean_line(words or "")
    return None if not title or _NO_TITLE.fullmatch(title) or " " not in title else title
