"""HTML (.html, .htm, .xhtml), as pandoc reads it: the article's own text by its headings, and what its meta elements say.

Navigation, forms, scripts and the like are left out. A formula is its TeX where the page gives that, between dollar signs,
else its characters. Meta elements are those that Google Scholar asks of publishers (citation_title, citation_doi, ...), and
Dublin Core's.
"""

from __future__ import annotations

from typing import Any

from lxml import etree, html

from programs.inputs.formats.marks import arxiv_in, doi_in, licence_in
from programs.inputs.formats.pandoc import Node, blocks_of, tree_of
from programs.inputs.formats.paper import DAMAGED, NO_TEXT_IN_IT, Paper, Unreadable, paper_of

_NOT_READ = (
    "script style noscript template nav header footer aside form button input select textarea svg iframe object dialog"
)
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
    title_element = page.findtext(".//title")
    blocks = list(blocks_of(_tree(page)))
    heads = [block.text for block in blocks if block.level == 1]
    printed = heads[0] if len(heads) == 1 else None
    title = next(filter(None, [*(said.get(name, [""])[0] for name in _TITLES), printed, title_element]), None)
    return paper_of(blocks, title=title, fields=_fields(page, said))


def _parser(data: bytes) -> html.HTMLParser:
    # Without a word about its encoding a page would be taken for Latin 1.
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return html.HTMLParser(huge_tree=True)
    return html.HTMLParser(encoding="utf-8", huge_tree=True)


def _article(page: Any) -> Any:
    found = page.xpath("//article | //main | //*[@role='main']")
    return max(found, key=lambda element: len(element.text_content()), default=page.find("body"))


def _tree(page: Any) -> Node:
    """What pandoc reads of the article."""
    article = _article(page)
    if article is None:
        raise Unreadable(NO_TEXT_IN_IT)
    for element in list(article.iter(*_NOT_READ.split())):
        if not str(element.get("type", "")).startswith("math/tex") and element.getparent() is not None:
            element.drop_tree()
    for element in article.xpath(".//*[contains(@class, 'ltx_note_mark')]"):
        element.drop_tree()
    for element in list(article.iter("math", "{*}math")):
        if element.get("alttext"):
            # The author's own TeX, where the page has it.
            script = html.Element("script", type="math/tex")
            script.text, script.tail = element.get("alttext"), element.tail
            element.getparent().replace(element, script)
    return tree_of(html.tostring(article, encoding="utf-8"), "html-native_divs")


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
