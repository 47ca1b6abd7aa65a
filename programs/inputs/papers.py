"""Which paper a text comes from.

A text's source is the first of these that its record gives:

1. a DOI, an arXiv identifier (without its version), a PubMed or PubMed Central identifier, in a field of that name;
2. a field that names a document (`paper_id`, `document`, `bibcode`, ...), or one that says where it was found
   (`source`, `url`, `file`, ...) if it holds a path or an address: `CosmoPaperQA` names a collection, not a paper. A DOI or
   an arXiv identifier inside such a field counts as one;
3. its title, without case, punctuation and a part's number;
4. its own id, without the number of a piece (`openstax-m59942-3`, `W2031-p4`, `2503.14454#12`). A bare number is a
   piece's only where the rest holds a digit too: `ei-11328` and `ei-12834` are two papers;
5. the document that it is a passage of, by the hash of all of that one's text;
6. the hash of its text: a source of its own.

These rules would rather take two papers for one than one for two: the first makes a split coarser, the second makes its
proof worthless. Records of one paper should all carry the same kind of name, since no rule finds a title's DOI.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from programs.inputs.sample import Sample

_DOCUMENT_FIELDS = (
    "paperid",
    "documentid",
    "docid",
    "articleid",
    "corpusid",
    "bibcode",
    "paper",
    "document",
    "article",
)
_PLACE_FIELDS = ("sourceid", "source", "sourceurl", "url", "uri", "link", "file", "filename", "path")

_DOI = re.compile(r"10\.\d{4,9}/[^\s\"'<>()]+")
_ARXIV = re.compile(r"(?<![\w.])(\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)?(?:\.[a-z]{2})?/\d{7})(?:v\d+)?(?![\w/])")
_PART = re.compile(r"\W+(?:part|section|chunk|passage|page)\W*\d+\W*$")
_NAMED_PIECE = re.compile(r"[-_#:/ ](?:abs|abstract|(?:chunk|para|part|passage|page|sec|section|p|c|s)[-_]?\d{1,4})$")
_NUMBERED_PIECE = re.compile(r"[-_#:/]\d{1,4}$")


def source_key(sample: Sample) -> str:
    """The paper that a sample comes from, as `kind:name`. Equal keys are the same paper."""
    title = sample.title if sample.title_given else None
    named = source_of(sample.extra, title=title, given_id=sample.given_id)
    return named or f"text:{sample.excerpt.document if sample.excerpt else sample.id}"


def source_of(fields: Mapping[str, Any], *, title: str | None = None, given_id: str | None = None) -> str | None:
    """The source of any record, by the rules above; None where only its text is left. Fields are known by their names
    without case and punctuation; values other than strings and whole numbers tell nothing."""
    told = {_squeezed(name): str(value).strip().lower() for name, value in fields.items() if _tells(value)}
    return next((key for key in _candidates(told, title or "", given_id or "") if key is not None), None)


def question_key(question: str) -> str:
    """A question without case and punctuation: answers to the same one have the same key."""
    return f"question:{_plain(question)}"


def _candidates(told: Mapping[str, str], title: str, given_id: str) -> Iterator[str | None]:
    yield _doi(told.get("doi", ""))
    yield _arxiv(told.get("arxiv") or told.get("arxivid") or told.get("eprint") or "")
    yield _number("pmid", told.get("pmid") or told.get("pubmedid") or "")
    yield _number("pmc", told.get("pmcid") or told.get("pmc") or "")
    for name in _DOCUMENT_FIELDS:
        yield _document(told.get(name, ""))
    for name in _PLACE_FIELDS:
        place = told.get(name, "")
        yield _document(place) if "/" in place or "\\" in place else None
    plain = _plain(_PART.sub("", title.lower()))
    yield f"title:{plain}" if plain else None
    yield _identified(given_id.strip().lower())


def _tells(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _doi(text: str) -> str | None:
    found = _DOI.search(text)
    return f"doi:{found.group().rstrip('.,;:')}" if found else None


def _arxiv(text: str) -> str | None:
    # In addresses a file's ending follows, and a word may stand before.
    found = _ARXIV.search(re.sub(r"arxiv\.org/\w+/|arxiv:|\.pdf\b", " ", text))
    return f"arxiv:{found.group(1)}" if found else None


def _number(kind: str, text: str) -> str | None:
    found = re.search(r"\d+", text)
    return f"{kind}:{found.group()}" if found else None


def _document(text: str) -> str | None:
    if not text:
        return None
    known = _doi(text) or (_arxiv(text) if "arxiv" in text else None)
    return known or f"document:{text.partition('#')[0].rstrip('/') or text}"


def _identified(given_id: str) -> str | None:
    if not given_id:
        return None
    named = _NAMED_PIECE.sub("", given_id)
    numbered = _NUMBERED_PIECE.sub("", given_id)
    paper = numbered if named == given_id and any(map(str.isdigit, numbered)) else named
    return _doi(paper) or _arxiv(paper) or f"id:{paper or given_id}"
