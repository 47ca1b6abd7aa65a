"""Runs pandoc, and converts its JSON tree to blocks.

pandoc runs in a separate process without access to files or the network (`--sandbox`). The tree's types are those of
pandoc-types 1.23 (`{"t": type, "c": content}`). Formulas become TeX between dollar signs, superscripts and subscripts are
marked (10^5, x_i), superscript citation marks are put in brackets, and cells of a table are separated by bars.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pypandoc

from programs.inputs.formats.paper import Block
from programs.inputs.headings import APPENDIX
from programs.inputs.report import SkipReason, Unreadable

APPENDIX_MARK = "synthreasoner-appendix"
"""A heading with this text only marks that everything after it is an appendix."""

_CITATION_NUMBERS = re.compile(r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*")
_BEFORE_CITATION = re.compile(r"(?:\A|[.,;:)]|(?<![^\W\d_])(?!(?:arcsec|arcmin|grad)\Z)[^\W\d_]{4,})\Z", re.IGNORECASE)
_TEXTLESS = re.compile(
    r"\\(?:centering|noindent|maketitle|clearpage|newpage|fi|[be]group|bsp|protect|sc|small|footnotesize|scriptsize|tiny"
    r"|large|Large|normalsize|(?:label|pagerange|vspace|hspace)\*?\{.*\})\s*"
)

Node = dict[str, Any]


def tree_of(data: bytes, source: str) -> Node:
    """Parses a document in pandoc's input format `source`. Raises `Unreadable` if pandoc cannot read it."""
    command = [pypandoc.get_pandoc_path(), "--sandbox", "-f", source, "-t", "json", "+RTS", "-M2g", "-RTS"]
    result = subprocess.run(command, input=data, capture_output=True, check=False)
    if result.returncode:
        raise Unreadable(SkipReason.DAMAGED) from RuntimeError(result.stderr.decode(errors="replace").strip()[:300])
    try:
        tree: Node = json.loads(result.stdout)
    except RecursionError as error:
        raise Unreadable(SkipReason.NESTED_TOO_DEEP) from error
    return tree


def blocks_of(tree: Node) -> Iterator[Block]:
    """The blocks of the document's abstract, then those of its body."""
    if "abstract" in tree["meta"]:
        yield Block("Abstract", 1)
        yield from _blocks(tree["meta"]["abstract"])
    kind: str | None = None
    for block in _blocks(tree["blocks"]):
        if block.level is not None and block.text == APPENDIX_MARK:
            kind = APPENDIX
        else:
            yield block._replace(kind=kind)


def meta_text(tree: Node, name: str) -> str | None:
    """A field of the document's metadata as one line of text; None if it is missing or empty."""
    return _one_line(tree["meta"][name]) or None if name in tree["meta"] else None


def _one_line(node: Any) -> str:
    return " ".join(" ".join(block.text for block in _blocks(node)).split())


def _blocks(node: Any) -> Iterator[Block]:
    """The blocks in a node or a nested list of nodes. A node of any type that `_block` does not name yields the blocks that
    it contains; inline nodes in the place of blocks form a block."""
    if isinstance(node, list):
        if any(isinstance(item, dict) and item["t"] in _INLINES for item in node):
            yield Block(_text_of(node))
        else:
            yield from (block for item in node for block in _blocks(item))
    elif isinstance(node, dict):
        yield from _block(node["t"], node.get("c"))


def _block(node_type: str, content: Any) -> Iterator[Block]:
    if node_type == "Header":
        yield Block(_text_of(content[2]), content[0])
    elif node_type in ("LineBlock", "CodeBlock"):
        yield Block("\n".join(map(_text_of, content)) if node_type == "LineBlock" else content[1])
    elif node_type == "MetaString":
        yield Block(content)
    elif node_type == "Figure":
        yield from _blocks(content[1][1])
    elif node_type == "Table":
        yield from _blocks(content[1][1])
        _, _, _, head, bodies, foot = content
        rows = [*head[1], *(row for body in bodies for row in [*body[2], *body[3]]), *foot[1]]
        yield Block("\n".join(" | ".join(_one_line(cell[4]) for cell in cells) for _, cells in rows))
    elif node_type not in ("RawBlock", "HorizontalRule"):
        yield from _blocks(content)


def _text_of(nodes: Sequence[Node]) -> str:
    parts = [""]
    for node in nodes:
        parts.append(_inline(node["t"], node.get("c"), parts[-1]))
    return "".join(parts)


def _inline(node_type: str, content: Any, before: str) -> str:
    """The text of an inline node; `before` is the text of the node before it. Empty for nodes without text (images)."""
    if node_type == "Superscript":
        return _superscript(content, before)
    if node_type == "Subscript":
        text = _text_of(content)
        return text if len(text) == 1 and text.isdigit() and before[-1:].isalpha() else f"_{_grouped(text)}"
    return str(_INLINES[node_type](content)) if node_type in _INLINES else ""


def _quoted(content: Any) -> str:
    mark = "'" if content[0]["t"] == "SingleQuote" else '"'
    return f"{mark}{_text_of(content[1])}{mark}"


def _math(content: Any) -> str:
    sign = "$" if content[0]["t"] == "InlineMath" else "$$"
    return f"{sign}{content[1].strip()}{sign}"


def _span(content: Any) -> str:
    note = any(name in ("ltx_note", "footnote") or name.startswith("ltx_role_footnote") for name in content[0][1])
    return f" ({_text_of(content[1]).strip()})" if note else _text_of(content[1])


def _raw(content: Any) -> str:
    # Commands that pandoc does not know are kept as they are written.
    return str(content[1]) if content[0] in ("latex", "tex") and not _TEXTLESS.fullmatch(content[1]) else ""


_INLINES: dict[str, Callable[[Any], Any]] = {
    "Str": str,
    **dict.fromkeys(("Space", "SoftBreak"), lambda _: " "),
    "LineBreak": lambda _: "\n",
    **dict.fromkeys(("Emph", "Underline", "Strong", "Strikeout", "SmallCaps", "Superscript", "Subscript"), _text_of),
    "Quoted": _quoted,
    "Math": _math,
    "Cite": lambda content: f"[{', '.join(cited['citationId'] for cited in content[0])}]",
    "Note": lambda content: f" ({' '.join(block.text for block in _blocks(content)).strip()})",
    "RawInline": _raw,
    "Code": lambda content: content[1],
    "Link": lambda content: _text_of(content[1]),
    "Span": _span,
    "Image": lambda _: "",
}


def _superscript(content: Sequence[Node], before: str) -> str:
    text = _text_of(content)
    linked = any(node["t"] == "Link" for node in content)
    if re.fullmatch(r"\[.*\]", text):
        return f" {text}"
    if _CITATION_NUMBERS.fullmatch(text) and (linked or _BEFORE_CITATION.search(before)):
        return f" [{text}]"
    is_ordinal = text in ("st", "nd", "rd", "th") and before[-1:].isdigit()
    return text if is_ordinal or not text else f"^{_grouped(text)}"


def _grouped(text: str) -> str:
    return text if re.fullmatch(r"[-−+]?\w+(?:\.\d+)?", text) else f"({text})"
