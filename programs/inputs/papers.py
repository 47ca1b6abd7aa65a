"""Which paper a text comes from, and what papers print about themselves: DOI, arXiv identifier, licence. Pure functions.

A text's source is the first of these that its record gives:

1. a DOI, an arXiv identifier (without its version), a PubMed or PubMed Central identifier, in a field of that name;
2. a field that names a document (`paper_id`, `document`, `bibcode`, ...), or one that says where it was found
   (`source`, `url`, `file`, ...) if it holds an address or the name of a file: `s2orc/train`, `example.org` and
   `part-0001.jsonl` name collections, not a paper. A DOI or an arXiv identifier inside such a field counts as one;
3. its title, without case, punctuation and a part's number;
4. its own id, without the number of a piece (`openstax-m59942-3`, `W2031-p4`, `2503.14454#12`). A bare number is a
   piece's only where the rest holds a digit too: `ei-11328` and `ei-12834` are two papers;
5. the document that it is a passage of, by the hash of all of that one's text;
6. the hash of its text: a source of its own.

These rules would rather take two papers for one than one for two: the first makes a split coarser, the second makes its
proof worthless. Records of one paper should all carry the same kind of name, since no rule finds a title's DOI.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from programs.inputs.cleaning import clean_line

_OPENING = {")": "(", "]": "[", "}": "{", ">": "<"}
_DOCUMENT_FIELDS = "paperid documentid docid articleid corpusid bibcode paper document article"
_WHERE_FIELDS = "sourceid source sourceurl url uri link file filename path"
_NAMES_ONE = re.compile(
    r"://[^/]+/+[^/]|^[\w.-]+\.[a-z]{2,}/+[^/]|[/\\][^/\\]*\.[a-z]\w{0,4}(?:\.gz|\.zst)?(?:#.*)?$|10\.\d{4,9}/"
)
_MANY_PAPERS = re.compile(
    r"\.(?:json|jsonl|ndjson|parquet|arrow|feather|csv|tsv|xml|tar|tgz|zip|warc|h5|hdf5|db|sqlite)(?:\.\w{2,4})?(?:[#?].*)?$"
)

# Those of the nineties hold brackets of every kind, and what is in them is the paper.
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"'<>]+(?:<[^\s<>]+>[\w.]*;2(?:-\w)?)?")
_SAID_DOI = re.compile(r"\b(?:doi(?:\.org)?\s*[:/]?\s*|digital object identifier\s*:?\s*)+(?=10\.\d{4,9}/)", re.I)
_ARXIV = re.compile(r"(?<![\w.])(\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)?(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?![\w/])")
_STAMP = re.compile(r"\barXiv:\s?(\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+(?:\.[A-Z]{2})?/\d{7}(?:v\d+)?)")
_ARXIV_NAME = re.compile(r"(?:arxiv[-_.]?)?(\d{4}\.\d{4,5}(?:v\d+)?)\.[a-z]+(?:\.gz|\.zst)?", re.I)
_PART = re.compile(r"\W+(?:part|section|chunk|passage|page)\W*\d+\W*$")
_NAMED_PIECE = re.compile(r"[-_#:/ ](?:abs|abstract|(?:chunk|para|part|passage|page|sec|section|p|c|s)[-_]?\d{1,4})$")
_NUMBERED_PIECE = re.compile(r"[-_#:/]\d{1,4}$")
_LICENCES = (
    r"(?i:(?:https?://)?creativecommons\.org/(?:licenses/[a-z-]+|publicdomain/zero)/\d\.\d)",
    r"\bCC[ -](?:BY(?:[ -](?:NC|SA|ND)){0,2}|0)(?:[ -]\d\.\d)\b",
    r"\b(?i:Creative Commons Attribution(?:[ -](?:Non-?Commercial|Share-?Alike|No-?Deriv(?:atives|s)))*(?: \d\.\d)?)\b",
)
_NO_TITLE = re.compile(
    r"untitled.*|no title|title|document\d*|manuscript|main|paper|article|template|microsoft word\b.*|layout \d+|slide \d+"
    r"|powerpoint presentation|.*\.(?:docx?|tex|dvi|pdf|indd|ps|eps|qxd|rtf)|[\w.-]*\d[\w.-]*",
    re.IGNORECASE,
)


def source_key(source: Any) -> str:
    """The paper that a `Sample` comes from, or a trace by what its record holds of that (`programs.records.SourcePaper`),
    as `kind:name`. Equal keys are the same paper."""
    title = source.title if source.title_given else None
    named = source_of(source.extra, title=title, given_id=source.given_id)
    # Records of older versions may have no id.
    return named or f"text:{source.excerpt.document if source.excerpt else source.id or source.title}"


def source_of(fields: Mapping[str, Any], *, title: str | None = None, given_id: str | None = None) -> str | None:
    """The source of any record, by the rules above; None where only its text is left. Fields are known by their names
    without case and punctuation; values other than strings and whole numbers tell nothing."""
    said = {
        re.sub(r"[\W_]", "", name.lower()): str(value).strip().lower()
        for name, value in fields.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
    return next(filter(None, _candidates(said, title or "", given_id or "")), None)


def question_key(question: str) -> str:
    """A question without case and punctuation: answers to the same one have the same key."""
    return f"question:{_plain(question)}"


def doi_in(text: str) -> str | None:
    """The DOI that a text gives as one, in small letters: after that word or in an address of doi.org, since a paper's
    first page may cite others. The form is the one that Crossref recommends to search for."""
    said = _SAID_DOI.search(text)
    doi = _doi(text[said.end() :]) if said else None
    return doi.removeprefix("doi:") if doi else None


def arxiv_in(text: str) -> str | None:
    """The arXiv identifier that a text is stamped with ("arXiv:2401.01234v2 [astro-ph.CO] 3 Jan 2024")."""
    found = _STAMP.search(text)
    return found[1] if found else None


def arxiv_of_name(file: str) -> str | None:
    """The arXiv identifier that is all of a file's name but its ending."""
    found = _ARXIV_NAME.fullmatch(file)
    return found[1] if found else None


def licence_in(text: str) -> str | None:
    """The Creative Commons licence that a text names, by an address or by its name ("CC BY 4.0")."""
    words = " ".join(text.split())
    return next((found[0] for form in _LICENCES if (found := re.search(form, words))), None)


def usable_title(words: str | None) -> str | None:
    """The title, on one line, or None where it is a name of a file, a program's own words, or a single word."""
    title = clean_line(words or "")
    return title if " " in title and not _NO_TITLE.fullmatch(title) else None


def _candidates(said: Mapping[str, str], title: str, given_id: str) -> Iterator[str | None]:
    """What each field gives that may name the source, in their order."""
    yield _doi(said.get("doi", ""))
    yield from (_arxiv(said.get(name, "")) for name in ("arxiv", "arxivid", "eprint"))
    for name, kind in {"pmid": "pmid", "pubmedid": "pmid", "pmcid": "pmc", "pmc": "pmc"}.items():
        number = re.search(r"\d+", said.get(name, ""))
        yield f"{kind}:{number[0]}" if number else None
    yield from (_document(said.get(name, "")) for name in _DOCUMENT_FIELDS.split())
    for where in (said.get(name, "") for name in _WHERE_FIELDS.split()):
        one_paper = _NAMES_ONE.search(where) and not _MANY_PAPERS.search(where)
        yield _document(where) if one_paper else _identifier(where)
    plain = _plain(_PART.sub("", title.lower()))
    yield f"title:{plain}" if plain else None
    yield _identified(given_id.strip().lower())


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _doi(text: str) -> str | None:
    found = _DOI.search(html.unescape(unquote(text)))
    if not found:
        return None
    doi = re.split(r"[?#]", found[0])[0].rstrip(".,;:").lower()
    # A bracket that was opened before the name closes after it.
    while doi[-1:] in _OPENING and doi.count(doi[-1]) > doi.count(_OPENING[doi[-1]]):
        doi = doi[:-1].rstrip(".,;:")
    return f"doi:{doi}" if doi else None


def _arxiv(text: str) -> str | None:
    # In addresses a file's ending follows, and a word may stand before.
    found = _ARXIV.search(re.sub(r"arxiv\.org/\w+/|arxiv:|\.pdf\b", " ", text))
    return f"arxiv:{found[1]}" if found else None


def _identifier(text: str) -> str | None:
    return _doi(text) or (_arxiv(text) if "arxiv" in text else None)


def _document(text: str) -> str | None:
    return _identifier(text) or f"document:{text.partition('#')[0].rstrip('/') or text}" if text else None


def _identified(given_id: str) -> str | None:
    named, numbered = _NAMED_PIECE.sub("", given_id), _NUMBERED_PIECE.sub("", given_id)
    paper = numbered if named == given_id and any(map(str.isdigit, numbered)) else named
    return _doi(paper) or _arxiv(paper) or (f"id:{paper or given_id}" if given_id else None)
