"""Reads Word (.docx) with pandoc: the body, with sections from heading styles and fields from the core properties.

pandoc drops some container elements together with their content, so these are unwrapped first.
"""

import io
import zipfile
import zlib
from typing import Any

from lxml import etree

from programs.inputs.formats.pandoc import blocks_of, meta_text, tree_of
from programs.inputs.formats.paper import Paper, paper_of
from programs.inputs.papers import doi_in, licence_in, usable_title
from programs.inputs.report import SkipReason, Unreadable

_OLE = b"\xd0\xcf\x11\xe0"
_PROPERTIES = "docProps/core.xml"
_TEXT_PARTS = ("word/document.xml", "word/footnotes.xml", "word/endnotes.xml")
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_NAMESPACES = {"w": _W, "mc": _MC}
_CONTAINERS = [f"{{{_W}}}{name}" for name in ("customXml", "smartTag", "fldSimple", "dir", "bdo")]
_CONTAINERS += [f"{{{_MC}}}{name}" for name in ("AlternateContent", "Choice")]
MAX_PART_BYTES = 64 * 2**20  # after decompression; far more than the text of any paper


def read_docx(data: bytes) -> Paper:
    if data.startswith(_OLE):
        # Password-protected documents are OLE containers, and so are those of Word 97.
        raise Unreadable(SkipReason.LOCKED if "EncryptedPackage".encode("utf-16-le") in data else SkipReason.DAMAGED)
    properties, unwrapped = _unpack(data)
    tree = tree_of(unwrapped, "docx")
    blocks = list(blocks_of(tree))
    first = "\n".join(block.text for block in blocks[:40])
    fields = {
        "doi": doi_in(properties.get("identifier", "")) or doi_in(first),
        "license": licence_in(first),
        "authors": [name.strip() for name in properties.get("creator", "").split(";") if name.strip()],
        "keywords": properties.get("keywords"),
    }
    return paper_of(blocks, meta_text(tree, "title") or usable_title(properties.get("title")), fields)


def _unpack(data: bytes) -> tuple[dict[str, str], bytes]:
    """The core properties by name, without namespaces, and the document with its text where pandoc finds it. Raises
    `Unreadable` if `data` is not a valid .docx container."""
    # Documents must not pull in external content.
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    properties: dict[str, str] = {}
    unwrapped = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as container, zipfile.ZipFile(unwrapped, "w") as output:
            for part in container.infolist():
                if part.filename.endswith(".xml") and part.file_size > MAX_PART_BYTES:
                    raise Unreadable(SkipReason.DAMAGED)
                content = container.read(part)
                if part.filename == _PROPERTIES:
                    root = etree.fromstring(content, parser)
                    properties = {etree.QName(field).localname: field.text.strip() for field in root if field.text}
                elif part.filename in _TEXT_PARTS:
                    content = etree.tostring(_unwrap_containers(etree.fromstring(content, parser)), encoding="utf-8")
                output.writestr(part, content)
    except (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(SkipReason.DAMAGED) from error
    return properties, unwrapped.getvalue()


def _unwrap_containers(root: Any) -> Any:
    """Replaces the containers that pandoc drops by their content. The paragraphs of a text box follow the paragraph that
    holds it, and text that is moved up or down becomes superscript or subscript."""
    for choice in root.xpath("//mc:AlternateContent[mc:Choice]/mc:Fallback", namespaces=_NAMESPACES):
        choice.getparent().remove(choice)
    for box in root.xpath("//w:p//w:txbxContent", namespaces=_NAMESPACES):
        enclosing = box.xpath("ancestor::w:p[1]", namespaces=_NAMESPACES)[0]
        for paragraph in reversed(box):
            enclosing.addnext(paragraph)
    for frame in root.xpath("//w:r/*[.//w:txbxContent]", namespaces=_NAMESPACES):
        frame.getparent().remove(frame)
    etree.strip_tags(root, *_CONTAINERS)
    for position in root.xpath("//w:rPr/w:position", namespaces=_NAMESPACES):
        alignment = "subscript" if position.get(f"{{{_W}}}val", "").startswith("-") else "superscript"
        position.tag = f"{{{_W}}}vertAlign"
        position.set(f"{{{_W}}}val", alignment)
    return root
