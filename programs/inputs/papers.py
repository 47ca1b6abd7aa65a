"""Identifies the paper that a text comes from, and finds the DOI, arXiv identifier and licence in a text. Pure functions.

The source of a text is the first of these that its record has:

1. a DOI, arXiv identifier (without version), PubMed or PubMed Central identifier, in a field of that name;
2. a field that names a document (`paper_id`, `document`, `bibcode`, ...), or a field for its location (`source`, `url`,
   `file`, ...) if that is the address or file name of a single paper: `s2orc/train`, `example.org` and
   `part-0001.jsonl` name collections. A DOI or arXiv identifier inside such a field is used instead of the whole field;
3. its title, without case, punctuation and part number;
4. its own id, without the number of a piece (`openstax-m59942-3`, `W2031-p4`, `2503.14454#12`). A number without a letter
   counts as a piece's only if the rest also contains a digit: `ei-11328` and `ei-12834` are two papers;
5. the hash of the whole text of the document that it is a passage of;
6. the hash of its own text.

When in doubt, two papers are treated as one: that makes a split coarser, whereas one paper on both sides of a split makes
the proof worthless. All records of a paper should carry the same kind of name, since no rule finds the DOI of a title.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from programs.inputs.cleaning import clean_line

_OPENING_BRACKETS = {")": "(", "]": "[", "}": "{", ">": "<"}
_DOCUMENT_FIELDS = "paperid documentid docid articleid corpusid bibcode paper document article"
_LOCATION_FIELDS = "sourceid source sourceurl url uri link file filename path"
_SINGLE_PAPER = re.compile(
    r"://[^/]+/+[^/]|^[\w.-]+\.[a-z]{2,}/+[^/]|[/\\][^/\\]*\.[a-z]\w{0,4}(?:\.gz|\.zst)?(?:#.*)?$|10\.\d{4,9}/"
)
_COLLECTION = re.compile(
    r"\.(?:json|jsonl|ndjson|parquet|arrow|feather|csv|tsv|xml|tar|tgz|zip|warc|h5|hdf5|db|sqlite)(?:\.\w{2,4})?(?:[#?].*)?$"
)

# DOIs of the 1990s contain brackets of every kind, and what is inside them is part of the identifier.
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"'<>]+(?:<[^\s<>]+>[\w.]*;2(?:-\w)?)?")
_DOI_LABEL = re.compile(r"\b(?:doi(?:\.org)?\s*[:/]?\s*|digital object identifier\s*:?\s*)+(?=10\.\d{4,9}/)", re.I)
_ARXIV = re.compile(r"(?<![\w.])(\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)?(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?![\w/])")
_ARXIV_STAMP = re.compile(r"\barXiv:\s?(\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?)")
_ARXIV_FILE_NAME = re.compile(r"(?:arxiv[-_.]?)?(\d{4}\.\d{4,5}(?:v\d+)?)\.[a-z]+(?:\.gz|\.zst)?", re.I)
_PART_NUMBER = re.compile(r"\W+(?:part|section|chunk|passage|page)\W*\d+\W*$")
_NAMED_PIECE = re.compile(r"[-_#:/ ](?:abs|abstract|(?:chunk|para|part|passage|page|sec|section|p|c|s)[-_]?\d{1,4})$")
_NUMBERED_PIECE = re.compile(r"[-_#:/]\d{1,4}$")
_LICENCES = (
    r"(?i:(?:https?://)?creativecommons\.org/(?:licenses/[a-z-]+|publicdomain/zero)/\d\.\d)",
    r"\bCC[ -](?:BY(?:[ -](?:NC|SA|ND)){0,2}|0)(?:[ -]\d\.\d)\b",
    r"\b(?i:Creative Commons Attribution(?:[ -](?:Non-?Commercial|Share-?Alike|No-?Deriv(?:atives|s)))*(?: \d\.\d)?)\b",
)
_UNUSABLE_TITLE = re.compile(
    r"untitled.*|no title|title|document\d*|manuscript|main|paper|article|template|microsoft word\b.*|layout \d+|slide \d+"
    r"|powerpoint presentation|.*\.(?:docx?|tex|dvi|pdf|indd|ps|eps|qxd|rtf)|[\w.-]*\d[\w.-]*",
    re.IGNORECASE,
)


def source_key(source: Any) -> str:
    """The paper that a text comes from, as `kind:name`; equal keys mean the same paper. `source` is a `Sample`, or the
    `programs.record_parts.SourcePaper` of a trace."""
    title = source.title if source.title_given else None
    named = source_of(source.extra, title=title, given_id=source.given_id)
    # Traces written by older versions may have no id.
    return named or f"text:{source.excerpt.document if source.excerpt else source.id or source.title}"


def source_of(fields: Mapping[str, Any], *, title: str | None = None, given_id: str | None = None) -> str | None:
    """The source of any record by rules 1 to 4 above, or None if they find none. Field names are compared without case
    and punctuation; only strings and integers count as values."""
    values = {
        re.sub(r"[\W_]", "", name.lower()): str(value).strip().lower()
        for name, value in fields.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
    return next(filter(None, _candidates(values, title or "", given_id or "")), None)


def question_key(question: str) -> str:
    """A key for a question that ignores case and punctuation, so that answers to the same question share it."""
    return f"question:{_normalized(question)}"


def doi_in(text: str) -> str | None:
    """The DOI that a text labels as such, in lower case: after the word "DOI" or in a doi.org address, since a paper's
    first page may cite other papers. The pattern follows the one that Crossref recommends."""
    label = _DOI_LABEL.search(text)
    doi = _doi_key(text[label.end() :]) if label else None
    return doi.removeprefix("doi:") if doi else None


def arxiv_in(text: str) -> str | None:
    """The arXiv identifier in the stamp that arXiv prints on a paper ("arXiv:2401.01234v2 [astro-ph.CO] 3 Jan 2024")."""
    found = _ARXIV_STAMP.search(text)
    return found[1] if found else None


def arxiv_of_name(file: str) -> str | None:
    """The arXiv identifier in a file name that consists of an optional "arxiv" prefix, the identifier and the extension."""
    found = _ARXIV_FILE_NAME.fullmatch(file)
    return found[1] if found else None


def licence_in(text: str) -> str | None:
    """The Creative Commons licence that a text names, by its URL or by name ("CC BY 4.0")."""
    words = " ".join(text.split())
    return next((found[0] for pattern in _LICENCES if (found := re.search(pattern, words))), None)


def usable_title(words: str | None) -> str | None:
    """The title on one line, or None if it is a file name, a default of some program, or a single word."""
    title = clean_line(words or "")
    return title if " " in title and not _UNUSABLE_TITLE.fullmatch(title) else None


def _candidates(values: Mapping[str, str], title: str, given_id: str) -> Iterator[str | None]:
    """The possible sources of a record, best first, with None for each field that gives none."""
    yield _doi_key(values.get("doi", ""))
    yield from (_arxiv_key(values.get(name, "")) for name in ("arxiv", "arxivid", "eprint"))
    for name, kind in {"pmid": "pmid", "pubmedid": "pmid", "pmcid": "pmc", "pmc": "pmc"}.items():
        number = re.search(r"\d+", values.get(name, ""))
        yield f"{kind}:{number[0]}" if number else None
    yield from (_document_key(values.get(name, "")) for name in _DOCUMENT_FIELDS.split())
    for location in (values.get(name, "") for name in _LOCATION_FIELDS.split()):
        single = _SINGLE_PAPER.search(location) and not _COLLECTION.search(location)
        yield _document_key(location) if single else _identifier_key(location)
    normalized = _normalized(_PART_NUMBER.sub("", title.lower()))
    yield f"title:{normalized}" if normalized else None
    yield _given_id_key(given_id.strip().lower())


def _normalized(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _doi_key(text: str) -> str | None:
    found = _DOI.search(html.unescape(unquote(text)))
    if not found:
        return None
    doi = re.split(r"[?#]", found[0])[0].rstrip(".,;:").lower()
    # A closing bracket that is not opened within the DOI belongs to the text around it.
    while doi[-1:] in _OPENING_BRACKETS and doi.count(doi[-1]) > doi.count(_OPENING_BRACKETS[doi[-1]]):
        doi = doi[:-1].rstrip(".,;:")
    return f"doi:{doi}" if doi else None


def _arxiv_key(text: str) -> str | None:
    # URLs may have a path segment before the identifier and ".pdf" after it.
    found = _ARXIV.search(re.sub(r"arxiv\.org/\w+/|arxiv:|\.pdf\b", " ", text))
    return f"arxiv:{found[1]}" if found else None


def _identifier_key(text: str) -> str | None:
    return _doi_key(text) or (_arxiv_key(text) if "arxiv" in text else None)


def _document_key(text: str) -> str | None:
    return _identifier_key(text) or f"document:{text.partition('#')[0].rstrip('/') or text}" if text else None


def _given_id_key(given_id: str) -> str | None:
    named, numbered = _NAMED_PIECE.sub("", given_id), _NUMBERED_PIECE.sub("", given_id)
    paper = numbered if named == given_id and any(map(str.isdigit, numbered)) else named
    return _doi_key(paper) or _arxiv_key(paper) or (f"id:{paper or given_id}" if given_id else None)
