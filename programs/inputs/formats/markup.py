"""LaTeX (.tex), HTML (.html, .htm, .xhtml) and Word (.docx), as pandoc reads them: what each needs before and beside it.

LaTeX   commands that the paper defines are written out; files that it includes (\\input, \\include) are not followed. What
        TeX would not see is taken out: comments with the line end that they take along, what \\iffalse hides.
HTML    the article's own text; navigation, forms, scripts and the like are left out. A formula is its TeX where the page
        gives that. Fields are those that Google Scholar asks of publishers (citation_title, ...), and Dublin Core's.
Word    the body; fields are the document's core properties.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

from programs.inputs.formats.pandoc import APPENDIX_MARK, blocks_of, meta_text, tree_of
from programs.inputs.formats.paper import Paper, paper_of
from programs.inputs.formats.text import decoded
from programs.inputs.papers import arxiv_in, doi_in, licence_in, usable_title
from programs.inputs.report import Skip, Unreadable

_LATIN = re.compile(rb"\\usepackage\[(latin1|latin9|ansinew|cp1252)\]\{inputenc\}")
_CODECS = {b"latin1": "latin-1", b"latin9": "iso8859-15", b"ansinew": "cp1252", b"cp1252": "cp1252"}
_UNSEEN = re.compile(
    r"(?P<kept>\\(?:url|href|path|nolinkurl)\s*\{[^{}]*\}|\\verb\*?(?P<mark>[^\sa-zA-Z*])[^\n]*?(?P=mark)"
    r"|\\begin\{(?P<name>verbatim\*?|lstlisting|minted)\}.*?\\end\{(?P=name)\}|\\[\\%])"
    r"|%[^\n]*(?:\n[ \t]*|\Z)|\\iffalse\b.*?\\fi\b",
    re.DOTALL,
)
_BRACES = r"\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
_OPTION = r"(?:\s*\[[^\]]*\])?"
_THANKS = r"acknowledge?ments?|acks"
_TOLD = (
    (r"\\appendix\b(?!\*?\{)|\\begin\{append(?:ix|ices)\}", rf"\n\n\\section{{{APPENDIX_MARK}}}\n\n"),
    (rf"\\begin\{{(?:{_THANKS})\}}", r"\n\n\\section{Acknowledgements}\n\n"),
    (rf"\\begin\{{thebibliography\}}{_BRACES}", r"\n\n\\section{References}\n\n"),
    (rf"\\bibitem{_OPTION}{_BRACES}", r"\n\n"),
    (rf"\\(?:begin|end)\{{(?:{_THANKS}|append(?:ix|ices)|thebibliography|widetext|onecolumn|multicols)\}}", r"\n\n"),
    (rf"\\begin\{{(deluxetable\*?)\}}.*?\\tablecaption{_BRACES}.*?\\end\{{\1\}}", r"\n\n\2\n\n"),
    (rf"\\(?:input|include|includegraphics)\*?{_OPTION}{_BRACES}", ""),
)
"""What pandoc would keep as LaTeX, in commands that it knows: parts of papers, classes' own environments, other files."""


def read_latex(data: bytes) -> Paper:
    """The text between \\begin{document} and \\end{document}, or, without them, all of it."""
    latin = _LATIN.search(data)
    try:
        source = decoded(data)
    except Unreadable:
        if latin is None:
            raise
        source = data.decode(_CODECS[latin[1]], errors="replace")
    seen = _UNSEEN.sub(lambda found: found["kept"] or "", source.replace("\r\n", "\n").replace("\r", "\n"))
    doi = re.search(r"\\doi\s*\{([^{}]+)\}", seen)
    fields = {"doi": doi_in(f"doi:{doi[1]}") if doi else doi_in(source[:4000]), "license": licence_in(source)}
    for pattern, told in _TOLD:
        seen = re.sub(pattern, told, seen, flags=re.DOTALL)
    tree = tree_of(seen.encode(), "latex+raw_tex")
    return paper_of(blocks_of(tree), meta_text(tree, "title"), fields)


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


def read_html(data: bytes) -> Paper:
    """The text of the page's article, or of its whole body."""
    from lxml import etree, html

    try:
        # Without a word about its encoding a page would be taken for Latin 1.
        utf8 = data.decode("utf-8", "ignore").encode() == data
        parser = html.HTMLParser(encoding="utf-8" if utf8 else None, huge_tree=True)
        page = html.document_fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise Unreadable(Skip.DAMAGED if data.strip() else Skip.NO_TEXT_IN_IT) from error
    said: dict[str, list[str]] = {}
    for meta in page.iter("meta"):
        name, content = meta.get("name") or meta.get("property") or "", (meta.get("content") or "").strip()
        if name and content:
            said.setdefault(name.lower().replace("dc_", "dc."), []).append(content)
    fields, written = _html_fields(page, said), page.findtext(".//title")
    blocks = list(blocks_of(tree_of(_article(page), "html-native_divs")))
    heads = [block.text for block in blocks if block.level == 1]
    titles = [*(said.get(name, [""])[0] for name in _TITLES), heads[0] if len(heads) == 1 else None, written]
    return paper_of(blocks, next(filter(None, titles), None), fields)


def _article(page: Any) -> bytes:
    """The article alone, with what pandoc would not read in its words."""
    from lxml import html

    found = page.xpath("//article | //main | //*[@role='main']")
    article = max(found, key=lambda element: len(element.text_content()), default=page.find("body"))
    if article is None:
        raise Unreadable(Skip.NO_TEXT_IN_IT)
    left_out = [
        element
        for element in article.iter(*_NOT_READ.split())
        if not str(element.get("type", "")).startswith("math/tex")
    ]
    for element in [*left_out, *article.xpath(".//*[contains(@class, 'ltx_note_mark')]")]:
        if element.getparent() is not None:
            element.drop_tree()
    for element in list(article.iter("math", "{*}math")):
        if element.get("alttext"):
            # The author's own TeX, where the page has it.
            script = html.Element("script", type="math/tex")
            script.text, script.tail = element.get("alttext"), element.tail
            element.getparent().replace(element, script)
    written: bytes = html.tostring(article, encoding="utf-8")
    return written


def _html_fields(page: Any, said: dict[str, list[str]]) -> dict[str, Any]:
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


_OLE = b"\xd0\xcf\x11\xe0"
_PROPERTIES = "docProps/core.xml"
LARGEST_PART = 64 * 2**20
"""Bytes of a part of a Word document, unpacked; no paper's words come near."""


def read_docx(data: bytes) -> Paper:
    """The paragraphs and tables of the document's body; sections by the styles of headings."""
    if data.startswith(_OLE):
        # A document with a password is in an OLE container, and so is one of Word 97.
        raise Unreadable(Skip.LOCKED if "EncryptedPackage".encode("utf-16-le") in data else Skip.DAMAGED)
    said = _properties(data)
    tree = tree_of(data, "docx")
    blocks = list(blocks_of(tree))
    first = "\n".join(block.text for block in blocks[:40])
    fields = {
        "doi": doi_in(said.get("identifier", "")) or doi_in(first),
        "license": licence_in(first),
        "authors": [name.strip() for name in said.get("creator", "").split(";") if name.strip()],
        "keywords": said.get("keywords"),
    }
    return paper_of(blocks, meta_text(tree, "title") or usable_title(said.get("title")), fields)


def _properties(data: bytes) -> dict[str, str]:
    """The core properties by their names, without namespaces. Raises `Unreadable` for what is no container."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            parts = {part.filename: part.file_size for part in container.infolist() if part.filename.endswith(".xml")}
            if any(size > LARGEST_PART for size in parts.values()):
                raise Unreadable(Skip.DAMAGED)
            core = container.read(_PROPERTIES) if _PROPERTIES in parts else b"<none/>"
            root = ElementTree.fromstring(core)
    except (zipfile.BadZipFile, ElementTree.ParseError, EOFError) as error:
        raise Unreadable(Skip.DAMAGED) from error
    return {part.tag.rpartition("}")[2]: part.text.strip() for part in root if part.text}
