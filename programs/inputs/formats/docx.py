"""Word documents (.docx), as pandoc reads them: sections by the styles of headings, and the document's core properties."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree

from programs.inputs.formats.marks import doi_in, licence_in, usable_title
from programs.inputs.formats.pandoc import blocks_of, meta_text, tree_of
from programs.inputs.formats.paper import DAMAGED, LOCKED, Paper, Unreadable, paper_of

_OLE = b"\xd0\xcf\x11\xe0"
_PROPERTIES = "docProps/core.xml"
LARGEST_PART = 64 * 2**20
"""Bytes of a part of the container, unpacked; no paper's words come near."""


def read(data: bytes) -> Paper:
    """The paragraphs and tables of the document's body."""
    if data.startswith(_OLE):
        # A document with a password is in an OLE container, and so is one of Word 97.
        raise Unreadable(LOCKED if "EncryptedPackage".encode("utf-16-le") in data else DAMAGED)
    said = _properties(data)
    tree = tree_of(data, "docx")
    blocks = list(blocks_of(tree))
    first = "\n".join(block.text for block in blocks[:40])
    return paper_of(
        blocks,
        title=meta_text(tree, "title") or usable_title(said.get("title")),
        fields={
            "doi": doi_in(said.get("identifier", "")) or doi_in(first),
            "license": licence_in(first),
            "authors": [name.strip() for name in re.split(r";", said.get("creator", "")) if name.strip()],
            "keywords": said.get("keywords"),
        },
    )


def _properties(data: bytes) -> dict[str, str]:
    """The core properties by their names, without namespaces. Raises `Unreadable` for what is no container."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            if any(part.file_size > LARGEST_PART for part in container.infolist() if part.filename.endswith(".xml")):
                raise Unreadable(DAMAGED)
            if _PROPERTIES not in container.namelist():
                return {}
            root = ElementTree.fromstring(container.read(_PROPERTIES))
    except (zipfile.BadZipFile, ElementTree.ParseError, EOFError) as error:
        raise Unreadable(DAMAGED) from error
    return {part.tag.rpartition("}")[2]: part.text.strip() for part in root if part.text}
