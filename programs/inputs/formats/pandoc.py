"""What pandoc reads, as blocks: its JSON tree walked once.

pandoc runs as a process of its own without access to files or the network (`--sandbox`). The tree's types are those of
pandoc-types 1.23 (`{"t": type, "c": content}`). Formulas are TeX between dollar signs; a raised or lowered number keeps its
place (10^5, x_i), a raised citation mark stands in brackets; cells of a table have bars between them.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import pypandoc

from programs.inputs.formats.paper import Block
from programs.inputs.headings import ACKNOWLEDGEMENTS, APPENDIX, REFERENCES, kind_of
from programs.inputs.report import DAMAGED, Unreadable

APPENDIX_MARK = "synthreasoner-appendix"
"""A heading of these words is none: all that follows it is an appendix."""

TOO_DEEP = "a document that is nested too deeply"
_HEAP = "-M2g"
_THANKS = ("acknowledgments", "acknowledgements", "acknowledgment", "acknowledgement", "acks")
_PARTS = {
    "abstract": ("Abstract", None),
    **dict.fromkeys(("thebibliography", "references"), ("References", REFERENCES)),
    **dict.fromkeys(_THANKS, ("Acknowledgements", ACKNOWLEDGEMENTS)),
}
"""Divisions that are sections of their own, by their class; pandoc makes these of LaTeX's environments."""
_CITED = re.compile(r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*")
_SILENT = frozenset({"\\centering", "\\noindent", "\\maketitle", "\\clearpage", "\\newpage"})
_UNITS = ("arcsec", "arcmin", "grad")

Node = dict[str, Any]


def tree_of(data: bytes, source: str) -> Node:
    """The tree of a document in pandoc's format `source`. Raises `Unreadable` where pandoc cannot read it."""
    command = [pypandoc.get_pandoc_path(), "--sandbox", "-f", source, "-t", "json", "+RTS", _HEAP, "-RTS"]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        raise Unreadable(DAMAGED) from RuntimeError(done.stderr.decode(errors="replace").strip()[:300])
    try:
        tree: Node = json.loads(done.stdout)
    except RecursionError as error:
        raise Unreadable(TOO_DEEP) from error
    return tree


def blocks_of(tree: Node) -> Iterator[Block]:
    """The document's abstract, then its body."""
    if "abstract" in tree["meta"]:
        yield Block("Abstract", 1)
        yield from _meta_blocks(tree["meta"]["abstract"])
    kind: str | None = None
    for block in _blocks(tree["blocks"]):
        if block.level is not None and block.text == APPENDIX_MARK:
            kind = APPENDIX
        else:
            yield block._replace(kind=block.kind or kind_of(block.text) or kind) if block.level is not None else block


def meta_text(tree: Node, name: str) -> str | None:
    """A field of the document's metadata as one line of words."""
    value = tree["meta"].get(name)
    return _line(_meta_blocks(value)) or None if value else None


def _meta_blocks(value: Node) -> Iterator[Block]:
    kind, content = value["t"], value["c"]
    if kind == "MetaBlocks":
        yield from _blocks(content)
    elif kind == "MetaList":
        for item in content:
            yield from _meta_blocks(item)
    elif kind in ("MetaInlines", "MetaString"):
        yield Block(content if kind == "MetaString" else _words(content))


def _line(blocks: Iterator[Block]) -> str:
    return " ".join(" ".join(block.text for block in blocks).split())


def _blocks(nodes: Sequence[Node]) -> Iterator[Block]:
    for node in nodes:
        yield from _block(node["t"], node.get("c"))


def _block(kind: str, content: Any) -> Iterator[Block]:
    if kind in ("Para", "Plain"):
        yield Block(_words(content))
    elif kind == "Header":
        yield Block(_words(content[2]), content[0])
    elif kind == "Div":
        part = next((_PARTS[name] for name in content[0][1] if name in _PARTS), None)
        yield from [Block(part[0], 1, part[1])] if part else []
        yield from _blocks(content[1])
    elif kind in ("BlockQuote", "Figure"):
        yield from _blocks(content if kind == "BlockQuote" else content[1][1])
    elif kind in ("OrderedList", "BulletList"):
        for item in content[1] if kind == "OrderedList" else content:
            yield from _blocks(item)
    elif kind == "DefinitionList":
        for term, definitions in content:
            yield Block(_words(term))
            yield from (block for definition in definitions for block in _blocks(definition))
    elif kind in ("LineBlock", "CodeBlock"):
        yield Block("\n".join(map(_words, content)) if kind == "LineBlock" else content[1])
    elif kind == "Table":
        yield from _blocks(content[1][1])
        _, _, _, head, bodies, foot = content
        rows = [*head[1], *(row for body in bodies for row in [*body[2], *body[3]]), *foot[1]]
        yield Block("\n".join(" | ".join(_line(_blocks(cell[4])) for cell in cells) for _, cells in rows))


def _words(nodes: Sequence[Node]) -> str:
    parts: list[str] = []
    for node in nodes:
        parts.append(_inline(node["t"], node.get("c"), parts[-1] if parts else ""))
    return "".join(parts)


def _inline(kind: str, content: Any, before: str) -> str:
    """The words of an inline; `before` is what stands before it. Of a kind that says nothing in words (an image), none."""
    if kind in _MADE:
        return _MADE[kind](content)
    if kind == "Superscript":
        return _raised(content, before)
    if kind == "Subscript":
        lowered = _words(content)
        return lowered if len(lowered) == 1 and lowered.isdigit() and before[-1:].isalpha() else f"_{_grouped(lowered)}"
    return ""


def _quoted(content: Any) -> str:
    mark = "'" if content[0]["t"] == "SingleQuote" else '"'
    return f"{mark}{_words(content[1])}{mark}"


def _math(content: Any) -> str:
    sign = "$" if content[0]["t"] == "InlineMath" else "$$"
    return f"{sign}{content[1].strip()}{sign}"


def _span(content: Any) -> str:
    note = any(name in ("ltx_note", "footnote") or name.startswith("ltx_role_footnote") for name in content[0][1])
    words = _words(content[1])
    return f" ({words.strip()})" if note else words


def _raw(content: Any) -> str:
    # A command that pandoc does not know stays as it is written.
    return str(content[1]) if content[0] in ("latex", "tex") and content[1] not in _SILENT else ""


_MADE = {
    "Str": str,
    "Space": lambda _: " ",
    "SoftBreak": lambda _: " ",
    "LineBreak": lambda _: "\n",
    **dict.fromkeys(("Emph", "Underline", "Strong", "Strikeout", "SmallCaps"), _words),
    "Quoted": _quoted,
    "Math": _math,
    "Cite": lambda content: f"[{', '.join(cited['citationId'] for cited in content[0])}]",
    "Note": lambda content: f" ({' '.join(block.text for block in _blocks(content)).strip()})",
    "RawInline": _raw,
    "Code": lambda content: str(content[1]),
    "Link": lambda content: _words(content[1]),
    "Span": _span,
}


def _raised(content: Sequence[Node], before: str) -> str:
    words = _words(content)
    word = re.search(r"[^\W\d_]*\Z", before)
    after_word = word is not None and len(word[0]) > 3 and word[0].lower() not in _UNITS
    mark = any(node["t"] == "Link" for node in content) or after_word
    if _CITED.fullmatch(words) and (mark or before[-1:] in ".,;:)"):
        return f" [{words}]"
    return f"^{_grouped(words)}" if words else ""


def _grouped(words: str) -> str:
    return words if re.fullmatch(r"[-−+]?\w+(?:\.\d+)?", words) else f"({words})"
