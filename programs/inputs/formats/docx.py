"""Word documents (.docx): sections by the styles of headings, and the document's core properties.

Tables become lines of cells with bars between; a formula becomes its characters in their order; text boxes, notes, headers
and footers are left out.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree

from programs.inputs.formats.marks import doi_in, licence_in, usable_title
from programs.inputs.formats.paper import DAMAGED, LOCKED, Block, Paper, Unreadable, paper_of

_OLE = b"\xd0\xcf\x11\xe0"
_HEADING = re.compile(r"Heading ([1-9])")
_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_WORDS = frozenset({qn("w:t"), qn("m:t")})
_BOX = qn("w:txbxContent")


def read(data: bytes) -> Paper:
    """The paragraphs and tables of the document's body."""
    if data.startswith(_OLE):
        # A document with a password is in an OLE container, and so is one of Word 97.
        raise Unreadable(LOCKED if "EncryptedPackage".encode("utf-16-le") in data else DAMAGED)
    try:
        document = docx.Document(io.BytesIO(data))
    except (OpcError, zipfile.BadZipFile, KeyError, ValueError, etree.XMLSyntaxError) as error:
        raise Unreadable(DAMAGED) from error
    blocks = list(_blocks(document))
    title = next((block.text for block in blocks if block.level == 0), None)
    properties = document.core_properties
    first = "\n".join(block.text for block in blocks[:40])
    return paper_of(
        blocks,
        title=title or usable_title(properties.title),
        fields={
            "doi": doi_in(properties.identifier or "") or doi_in(first),
            "license": licence_in(first),
            "authors": [name.strip() for name in re.split(r"[;]", properties.author or "") if name.strip()],
            "keywords": properties.keywords,
        },
    )


def _blocks(document: Any) -> Iterator[Block]:
    for item in document.iter_inner_content():
        if isinstance(item, Table):
            yield Block("\n".join(" | ".join(_cells(row)) for row in item.rows))
        elif isinstance(item, Paragraph):
            name = (item.style.name if item.style is not None else None) or ""
            heading = _HEADING.fullmatch(name)
            level = int(heading[1]) if heading else 0 if name == "Title" else None
            yield Block(_words(item._p), level)


def _cells(row: Any) -> list[str]:
    """What the cells of a row say; one that spans several columns once."""
    elements = dict.fromkeys(cell._tc for cell in row.cells)
    return [" ".join(_words(element).split()) for element in elements]


def _words(element: Any) -> str:
    # python-docx's own `text` passes over formulas.
    boxes = {inner for box in element.iter(_BOX) for inner in box.iter()}
    parts = []
    for node in element.iter():
        if node in boxes:
            continue
        parts.append((node.text or "") if node.tag in _WORDS else _BREAKS.get(node.tag, ""))
    return "".join(parts)
