"""Reads HTML (.html, .htm, .xhtml) with pandoc: the text of the article.

Navigation, controls, scripts and the like are left out, and so is what the page hides. Formulas are read as TeX if the
page provides it. Fields come from Dublin Core and the meta elements that Google Scholar asks for (citation_title, ...).
"""

from collections.abc import Iterable
from typing import Any

from lxml import etree, html

from programs.inputs.formats.pandoc import blocks_of, tree_of
from programs.inputs.formats.paper import Paper, paper_of
from programs.inputs.papers import arxiv_in, doi_in, licence_in
from programs.inputs.report import SkipReason, Unreadable

_IGNORED_TAGS = "script style noscript template nav footer aside button input select textarea svg iframe object dialog"
_HIDDEN = (
    ".//*[@hidden or contains(translate(@style, ' ', ''), 'display:none')] | .//header[not(.//h1 or ancestor::article)]"
)
_NOISE = "ltx_note_mark ltx_tag_note ltx_note_type MathJax MathJax_Preview MathJax_Display mw-editsection"
"""Classes of elements that are not text of the article: note marks, rendered formulas, links to edit."""
_TITLE_META = ("citation_title", "dc.title", "dcterms.title", "og:title")
_RIGHTS_META = ("dc.rights", "dcterms.rights", "dcterms.license", "citation_license")
_DOI_META = ("citation_doi", "dc.identifier", "dcterms.identifier", "prism.doi", "bepress_citation_doi")


def read_html(data: bytes) -> Paper:
    try:
        # The parser takes a page that declares no encoding for Latin 1.
        utf8 = data.decode("utf-8", "ignore").encode() == data
        parser = html.HTMLParser(encoding="utf-8" if utf8 else None, huge_tree=True)
        page = html.document_fromstring(data, parser=parser)
        if any("Excessive depth" in error.message for error in parser.error_log):
            raise Unreadable(SkipReason.NESTED_TOO_DEEP)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise Unreadable(SkipReason.DAMAGED if data.strip() else SkipReason.NO_TEXT_IN_IT) from error
    metadata: dict[str, list[str]] = {}
    for meta in page.iter("meta"):
        name = meta.get("name") or meta.get("property") or ""
        content = (meta.get("content") or "").strip()
        if name and content:
            metadata.setdefault(name.lower().replace("dc_", "dc."), []).append(content)
    identifiers = [value for name in _DOI_META for value in metadata.get(name, [])]
    links = [link.get("href", "") for link in page.xpath("//link[@rel='license'] | //a[contains(@rel, 'license')]")]
    rights = [licence_in(value) or value for name in _RIGHTS_META for value in metadata.get(name, [])]
    fields = {
        "doi": _first(doi_in(f"doi:{value}") or doi_in(value) for value in identifiers),
        "arxiv_id": _first([*metadata.get("citation_arxiv_id", []), *map(arxiv_in, identifiers)]),
        "license": _first([*links, *rights]),
        "authors": metadata.get("citation_author") or metadata.get("dc.creator"),
    }
    blocks = list(blocks_of(tree_of(_article(page), "html-native_divs")))
    h1s = [block.text for block in blocks if block.level == 1]
    titles = [metadata.get(name, [""])[0] for name in _TITLE_META]
    return paper_of(blocks, _first([*titles, h1s[0] if len(h1s) == 1 else "", page.findtext(".//title")]), fields)


def _first(values: Iterable[str | None]) -> str | None:
    return next(filter(None, values), None)


def _article(page: Any) -> bytes:
    """The HTML of the article alone, with its formulas in a form that pandoc reads."""
    candidates = page.xpath("//article | //main | //*[@role='main']")
    article = max(candidates, key=lambda element: len(element.text_content()), default=page.find("body"))
    if article is None:
        raise Unreadable(SkipReason.NO_TEXT_IN_IT)
    tagged = article.iter(*_IGNORED_TAGS.split())
    left_out = [element for element in tagged if not str(element.get("type", "")).startswith("math/tex")]
    marks = (element for element in article.iter() if {*(element.get("class") or "").split()} & {*_NOISE.split()})
    for element in [*left_out, *article.xpath(_HIDDEN), *marks]:
        if element.getparent() is not None:
            element.drop_tree()
    for element in list(article.iter("math", "{*}math")):
        if element.get("alttext"):
            script = html.Element("script", type="math/tex")
            script.text, script.tail = element.get("alttext"), element.tail
            element.getparent().replace(element, script)
    written: bytes = html.tostring(article, encoding="utf-8")
    return written
