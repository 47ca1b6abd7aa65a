"""HTML (.html, .htm, .xhtml): the article's own text by its headings, and what its meta elements say.

Navigation, forms, scripts and the like are left out. A formula is its TeX where the page gives that, between dollar signs,
else its characters. Meta elements are those that Google Scholar asks of publishers (citation_title, citation_doi, ...), and
Dublin Core's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree, html

from programs.inputs.formats.marks import arxiv_in, doi_in, licence_in
from programs.inputs.formats.paper import DAMAGED, NO_TEXT_IN_IT, Block, Paper, Unreadable, paper_of

_NOT_READ = """script style noscript template nav header footer aside form button input select textarea svg iframe object
dialog head annotation annotation-xml"""
_PARAGRAPHS = """address article blockquote body caption center dd details div dl dt fieldset figcaption figure hr li main
ol p pre section summary table tbody tfoot thead tr ul"""
_LEFT_OUT, _BLOCKS = frozenset(_NOT_READ.split()), frozenset(_PARAGRAPHS.split())
_CELLS = ("td", "th")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_TITLES = ("citation_title", "dc.title", "dcterms.title", "og:title")
_RIGHTS = ("dc.rights", "dcterms.rights", "dcterms.license", "citation_license")
_DOIS = ("citation_doi", "dc.identifier", "dcterms.identifier", "prism.doi", "bepress_citation_doi")
_OTHERS = {
    "citation_journal_title": "journal",
    "citation_publication_date": "published",
    "citation_date": "published",
    "citation_pmid": "pmid",
}


def read(data: bytes) -> Paper:
    """The text of the page's article, or of its whole body."""
    try:
        page = html.document_fromstring(data, parser=_parser(data))
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise Unreadable(DAMAGED if data.strip() else NO_TEXT_IN_IT) from error
    said = _said(page)
    blocks = list(_blocks(_article(page)))
    heads = [block.text for block in blocks if block.level == 1]
    printed = heads[0] if len(heads) == 1 else None
    title = next(
        filter(None, [*(said.get(name, [""])[0] for name in _TITLES), printed, page.findtext(".//title")]), None
    )
    return paper_of(blocks, title=title, fields=_fields(page, said))


def _parser(data: bytes) -> html.HTMLParser:
    # Without a word about its encoding a page would be taken for Latin 1.
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return html.HTMLParser()
    return html.HTMLParser(encoding="utf-8")


def _article(page: Any) -> Any:
    found = page.xpath("//article | //main | //*[@role='main']")
    return max(found, key=lambda element: len(element.text_content()), default=page.find("body"))


def _blocks(article: Any) -> Iterator[Block]:
    """Paragraphs and headings in the order of the page."""
    held: list[str] = []
    if article is None:
        return
    for piece in _pieces(article):
        if isinstance(piece, str):
            held.append(piece)
            continue
        yield Block(_joined(held))
        held = []
        if piece.level is not None:
            yield piece
    yield Block(_joined(held))


def _pieces(element: Any) -> Iterator[str | Block]:
    """Words, headings, and an empty block wherever a paragraph ends."""
    name = element.tag if isinstance(element.tag, str) else ""
    level = _HEADINGS.get(name)
    block = name in _BLOCKS
    if name == "math" or element.get("type", "").startswith("math/tex"):
        yield _formula(element)
    elif level is not None:
        words = _joined([piece for piece in _inside(element) if isinstance(piece, str)])
        yield Block(words, level)
    elif name == "br":
        yield " "
    elif name and name not in _LEFT_OUT:
        if block:
            yield Block("")
        yield from _inside(element)
        if block:
            yield Block("")
        elif name in _CELLS:
            yield " | "
    if element.tail:
        yield element.tail


def _inside(element: Any) -> Iterator[str | Block]:
    if element.text:
        yield element.text
    for child in element:
        yield from _pieces(child)


def _formula(element: Any) -> str:
    tex = element.get("alttext") or next(
        (note.text for note in element.iter("{*}annotation", "annotation") if "tex" in note.get("encoding", "")), None
    )
    if element.tag == "script":
        tex = element.text
    return f"${tex.strip()}$" if tex else element.text_content()


def _joined(pieces: list[str]) -> str:
    return " ".join("".join(pieces).split()).removesuffix(" |")


def _said(page: Any) -> dict[str, list[str]]:
    """The meta elements by name, in small letters."""
    said: dict[str, list[str]] = {}
    for meta in page.iter("meta"):
        name, content = meta.get("name") or meta.get("property") or "", (meta.get("content") or "").strip()
        if name and content:
            said.setdefault(name.lower().replace("dc_", "dc."), []).append(content)
    return said


def _fields(page: Any, said: dict[str, list[str]]) -> dict[str, Any]:
    identifiers = [value for name in _DOIS for value in said.get(name, [])]
    links = [link.get("href", "") for link in page.xpath("//link[@rel='license'] | //a[contains(@rel, 'license')]")]
    rights = [value for name in _RIGHTS for value in said.get(name, [])]
    arxiv = [*said.get("citation_arxiv_id", []), *map(arxiv_in, identifiers)]
    return {
        "doi": next(filter(None, (doi_in(f"doi:{value}") or doi_in(value) for value in identifiers)), None),
        "arxiv_id": next(filter(None, arxiv), None),
        "license": next(filter(None, [*links, *(licence_in(value) or value for value in rights)]), None),
        "authors": said.get("citation_author") or said.get("dc.creator") or [],
        **{field: said[name][0] for name, field in _OTHERS.items() if name in said},
    }
