"""Word (.docx), as pandoc reads it: the document's body, sections by the styles of headings, fields by its core properties.

pandoc passes over some containers with all that is in them; here they are opened before.
"""

import io
import zipfile
import zlib
from typing import Any

from lxml import etree

from programs.inputs.formats.pandoc import blocks_of, meta_text, tree_of
from programs.inputs.formats.paper import Paper, paper_of
from programs.inputs.papers import doi_in, licence_in, usable_title
from programs.inputs.report import Skip, Unreadable

_OLE = b"\xd0\xcf\x11\xe0"
_PROPERTIES = "docProps/core.xml"
_WORDS = ("word/document.xml", "word/footnotes.xml", "word/endnotes.xml")
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_NAMESPACES = {"w": _W, "mc": _MC}
_CONTAINERS = [f"{{{_W}}}{name}" for name in ("customXml", "smartTag", "fldSimple", "dir", "bdo")]
_CONTAINERS += [f"{{{_MC}}}{name}" for name in ("AlternateContent", "Choice")]
LARGEST_PART = 64 * 2**20
"""Bytes, unpacked; no paper's words come near."""


def read_docx(data: bytes) -> Paper:
    if data.startswith(_OLE):
        # A document with a password is in an OLE container, and so is one of Word 97.
        raise Unreadable(Skip.LOCKED if "EncryptedPackage".encode("utf-16-le") in data else Skip.DAMAGED)
    said, opened = _opened(data)
    tree = tree_of(opened, "docx")
    blocks = list(blocks_of(tree))
    first = "\n".join(block.text for block in blocks[:40])
    fields = {
        "doi": doi_in(said.get("identifier", "")) or doi_in(first),
        "license": licence_in(first),
        "authors": [name.strip() for name in said.get("creator", "").split(";") if name.strip()],
        "keywords": said.get("keywords"),
    }
    return paper_of(blocks, meta_text(tree, "title") or usable_title(said.get("title")), fields)


def _opened(data: bytes) -> tuple[dict[str, str], bytes]:
    """The core properties by their names, without namespaces, and the document with its words where pandoc finds them.
    Raises `Unreadable` for what is no container."""
    # Nothing from elsewhere is put into a document.
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    said: dict[str, str] = {}
    opened = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as container, zipfile.ZipFile(opened, "w") as written:
            for part in container.infolist():
                if part.filename.endswith(".xml") and part.file_size > LARGEST_PART:
                    raise Unreadable(Skip.DAMAGED)
                held = container.read(part)
                if part.filename == _PROPERTIES:
                    root = etree.fromstring(held, parser)
                    said = {etree.QName(field).localname: field.text.strip() for field in root if field.text}
                elif part.filename in _WORDS:
                    held = etree.tostring(_unwrapped(etree.fromstring(held, parser)), encoding="utf-8")
                written.writestr(part, held)
    except (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(Skip.DAMAGED) from error
    return said, opened.getvalue()


def _unwrapped(root: Any) -> Any:
    """The part without the containers that pandoc passes over, their words in the place of each: a text box stands after
    the paragraph that holds it, and letters that are moved up or down are raised or lowered."""
    for choice in root.xpath("//mc:AlternateContent[mc:Choice]/mc:Fallback", namespaces=_NAMESPACES):
        choice.getparent().remove(choice)
    for box in root.xpath("//w:p//w:txbxContent", namespaces=_NAMESPACES):
        around = box.xpath("ancestor::w:p[1]", namespaces=_NAMESPACES)[0]
        for paragraph in reversed(box):
            around.addnext(paragraph)
    for frame in root.xpath("//w:r/*[.//w:txbxContent]", namespaces=_NAMESPACES):
        frame.getparent().remove(frame)
    etree.strip_tags(root, *_CONTAINERS)
    for moved in root.xpath("//w:rPr/w:position", namespaces=_NAMESPACES):
        how = "subscript" if moved.get(f"{{{_W}}}val", "").startswith("-") else "superscript"
        moved.tag = f"{{{_W}}}vertAlign"
        moved.set(f"{{{_W}}}val", how)
    return root
