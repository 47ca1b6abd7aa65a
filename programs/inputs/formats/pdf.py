"""PDF: the text in its reading order, as pdfminer.six's layout analysis finds it, and what the file and its first page say.

Columns are read one after another, words that a line end has broken are joined, running heads and page numbers are left
out, and headings are known by their type and number. Formulas come as their characters, tables as lines. A page that is
a picture has no text: nothing here reads pictures.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect
from pdfminer.pdfparser import PDFParser
from pdfminer.pdftypes import PDFStream, resolve1
from pdfminer.psexceptions import PSException
from pdfminer.utils import decode_text

from programs.inputs.formats.marks import arxiv_in, doi_in, licence_in, usable_title
from programs.inputs.formats.paper import DAMAGED, LOCKED, NO_TEXT_IN_IT, Paper, Unreadable, paper_of
from programs.inputs.formats.pdf_lines import Page, in_columns, pages_of
from programs.inputs.formats.pdf_text import Setting, blocks_of, without_running_heads

SCAN = "pages without text (a scan?)"
UNKNOWN_LETTERS = "letters that the file does not name"
LEAST_LETTERS = 50
"""A page. Fewer on average, and what text there is was laid over pictures: a stamp, a cover page."""

MOST_UNKNOWN = 0.1
"""Of the characters of a readable file, so many may be ones that its fonts do not name."""
_CID = re.compile(r"\(cid:\d+\)")
_PRODUCED = re.compile(
    r"<(dc:title|prism:doi|pdfx:doi|dc:identifier|cc:license|xmpRights:WebStatement|dc:rights)\b(.*?)</\1>", re.DOTALL
)
_LICENCE_PROPERTY = re.compile(r"cc:license\s+rdf:resource=\"([^\"]+)\"")
_TAG = re.compile(r"<[^>]*>")


def read(data: bytes) -> Paper:
    """The text of all pages."""
    try:
        document = PDFDocument(PDFParser(io.BytesIO(data)))
        pages = list(pages_of(document))
    except (PDFPasswordIncorrect, PDFEncryptionError) as error:
        raise Unreadable(LOCKED) from error
    except PSException as error:
        raise Unreadable(DAMAGED) from error
    _refuse_silent(pages)
    pages = in_columns(without_running_heads(pages))
    setting = Setting.of(pages)
    front = "\n".join([*(page.turned for page in pages[:1]), *(line.text for page in pages[:2] for line in page.lines)])
    said = _said(document)
    return paper_of(
        blocks_of(pages, setting),
        title=_title(said, setting, front),
        fields={
            "doi": doi_in(" ".join(f"doi:{words}" for words in said.get("doi", []))) or doi_in(front),
            "arxiv_id": arxiv_in(front),
            "license": next(filter(None, map(licence_in, [*said.get("license", []), *_links(pages), front])), None),
            "authors": said.get("authors", []),
        },
    )


def _refuse_silent(pages: list[Page]) -> None:
    """Raises `Unreadable` where the pages do not say enough to be a text, or in letters that nobody knows."""
    if not pages:
        raise Unreadable(NO_TEXT_IN_IT)
    text = "".join(line.text for page in pages for line in page.lines)
    unknown = _CID.findall(text)
    known = len(_CID.sub("", text))
    if len(unknown) > MOST_UNKNOWN * max(1, known):
        raise Unreadable(UNKNOWN_LETTERS)
    pictures = any(page.pictures for page in pages)
    if sum(map(str.isalpha, text)) < (LEAST_LETTERS * len(pages) if pictures else 1):
        raise Unreadable(SCAN if pictures else NO_TEXT_IN_IT)


def _title(said: dict[str, list[str]], setting: Setting, front: str) -> str | None:
    """The file's own title where the first page prints it; else what stands there in the largest letters, else the
    file's."""
    given = [title for title in map(usable_title, said.get("title", [])) if title]
    printed = [title for title in given if _squeezed(title) in _squeezed(front)]
    return next(iter([*printed, *filter(None, [setting.title]), *given]), None)


def _squeezed(words: str) -> str:
    return re.sub(r"\W", "", words).casefold()


def _said(document: PDFDocument) -> dict[str, list[str]]:
    """What the information dictionary and the XMP metadata say: title, authors, doi, license."""
    said: dict[str, list[str]] = {}
    for info in document.info:
        for name, key in (
            ("title", "Title"),
            ("authors", "Author"),
            ("doi", "doi"),
            ("doi", "DOI"),
            ("doi", "WPS-ARTICLEDOI"),
        ):
            value = resolve1(info.get(key))
            if isinstance(value, bytes | str):
                words = decode_text(value) if isinstance(value, bytes) else value
                said.setdefault(name, []).extend([words.strip()] if words.strip() else [])
    metadata = resolve1(document.catalog.get("Metadata"))
    if isinstance(metadata, PDFStream):
        xmp = metadata.get_data().decode("utf-8", "replace")
        for tag, inner in _PRODUCED.findall(xmp):
            words = " ".join(_TAG.sub(" ", inner.partition(">")[2]).split())
            name = {"dc:title": "title", "prism:doi": "doi", "pdfx:doi": "doi", "dc:identifier": "doi"}.get(
                tag, "license"
            )
            if words and words not in said.setdefault(name, []):
                said[name].append(words)
        said.setdefault("license", []).extend(_LICENCE_PROPERTY.findall(xmp))
    return said


def _links(pages: list[Page]) -> Iterator[str]:
    """The addresses that the first pages and the last one link to."""
    for page in [*pages[:2], *pages[-1:]]:
        yield from page.links
