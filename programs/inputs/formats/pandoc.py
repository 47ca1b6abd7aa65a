"""What pandoc reads, as blocks: its JSON tree walked once.

pandoc runs as a process of its own without access to files or the network (`--sandbox`). The tree's types are those of
pandoc-types 1.23 (`{"t": type, "c": content}`). Formulas are TeX between dollar signs; a raised or lowered number keeps its
place (10^5, x_i), a raised citation mark stands in brackets; cells of a table have bars between them.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pypandoc

from programs.inputs.formats.paper import Block
from programs.inputs.headings import APPENDIX
from programs.inputs.report import Skip, Unreadable

APPENDIX_MARK = "synthreasoner-appendix"
"""A heading of these words is none: all that follows it is an appendix."""

_THANKS = ("acknowledgments", "acknowledgements", "acknowledgment", "acknowledgement", "acks")
_PARTS = {"abstract": "Abstract", "thebibliography": "References", "references": "References"}
_PARTS |= dict.fromkeys(_THANKS, "Acknowledgements")
"""Divisions that are sections of their own, by their class; pandoc makes these of LaTeX's environments."""
_CITED = re.compile(r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*")
_BEFORE_MARK = re.compile(r"(?:\A|[.,;:)]|(?<![^\W\d_])(?!(?:arcsec|arcmin|grad)\Z)[^\W\d_]{4,})\Z", re.IGNORECASE)
_SILENT = re.compile(
    r"\\(?:centering|noindent|maketitle|clearpage|newpage|fi|[be]group|bsp|protect|sc|small|footnotesize|scriptsize|tiny"
    r"|large|Large|normalsize|(?:label|pagerange|vspace|hspace)\*?\{.*\})\s*"
)

Node = dict[str, Any]


def tree_of(data: bytes, source: str) -> Node:
    """The tree of a document in pandoc's format `source`. Raises `Unreadable` where pandoc cannot read it."""
    command = [pypandoc.get_pandoc_path(), "--sandbox", "-f", source, "-t", "json", "+RTS", "-M2g", "-RTS"]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        raise Unreadable(Skip.DAMAGED) from RuntimeError(done.stderr.decode(errors="replace").strip()[:300])
    try:
        tree: Node = json.loads(done.stdout)
    except RecursionError as error:
        raise Unreadable(Skip.NESTED_TOO_DEEP) from error
    return tree


def blocks_of(tree: Node) -> Iterator[Block]:
    """The document's abstract, then its body."""
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
    """A field of the document's metadata as one line of words."""
    return _line(tree["meta"][name]) or None if name in tree["meta"] else None


def _line(found: Any) -> str:
    return " ".join(" ".join(block.text for block in _blocks(found)).split())


def _blocks(found: Any) -> Iterator[Block]:
    """The blocks in a node or in lists of nodes. Of a kind that is not named here, those of all that it holds; words that
    stand where blocks do are a block."""
    if isinstance(found, list):
        if any(isinstance(item, dict) and item["t"] in _INLINES for item in found):
            yield Block(_words(found))
        else:
            yield from (block for item in found for block in _blocks(item))
    elif isinstance(found, dict):
        yield from _block(found["t"], found.get("c"))


def _block(kind: str, content: Any) -> Iterator[Block]:
    if kind == "Header":
        yield Block(_words(content[2]), content[0])
    elif kind in ("LineBlock", "CodeBlock"):
        yield Block("\n".join(map(_words, content)) if kind == "LineBlock" else content[1])
    elif kind == "MetaString":
        yield Block(content)
    elif kind == "Figure":
        yield from _blocks(content[1][1])
    elif kind == "Table":
        yield from _blocks(content[1][1])
        _, _, _, head, bodies, foot = content
        rows = [*head[1], *(row for body in bodies for row in [*body[2], *body[3]]), *foot[1]]
        yield Block("\n".join(" | ".join(_line(cell[4]) for cell in cells) for _, cells in rows))
    elif kind not in ("RawBlock", "HorizontalRule"):
        parts = [_PARTS[name] for name in content[0][1] if name in _PARTS] if kind == "Div" else []
        yield from (Block(part, 1) for part in parts[:1])
        yield from _blocks(content)


def _words(nodes: Sequence[Node]) -> str:
    parts = [""]
    for node in nodes:
        parts.append(_inline(node["t"], node.get("c"), parts[-1]))
    return "".join(parts)


def _inline(kind: str, content: Any, before: str) -> str:
    """The words of an inline; `before` is what stands before it. Of a kind that says nothing in words (an image), none."""
    if kind == "Superscript":
        return _raised(content, before)
    if kind == "Subscript":
        lowered = _words(content)
        return lowered if len(lowered) == 1 and lowered.isdigit() and before[-1:].isalpha() else f"_{_grouped(lowered)}"
    return str(_INLINES[kind](content)) if kind in _INLINES else ""


def _quoted(content: Any) -> str:
    mark = "'" if content[0]["t"] == "SingleQuote" else '"'
    return f"{mark}{_words(content[1])}{mark}"


def _math(content: Any) -> str:
    sign = "$" if content[0]["t"] == "InlineMath" else "$$"
    return f"{sign}{content[1].strip()}{sign}"


def _span(content: Any) -> str:
    note = any(name in ("ltx_note", "footnote") or name.startswith("ltx_role_footnote") for name in content[0][1])
    return f" ({_words(content[1]).strip()})" if note else _words(content[1])


def _raw(content: Any) -> str:
    # A command that pandoc does not know stays as it is written.
    return str(content[1]) if content[0] in ("latex", "tex") and not _SILENT.fullmatch(content[1]) else ""


_INLINES: dict[str, Callable[[Any], Any]] = {
    "Str": str,
    **dict.fromkeys(("Space", "SoftBreak"), lambda _: " "),
    "LineBreak": lambda _: "\n",
    **dict.fromkeys(("Emph", "Underline", "Strong", "Strikeout", "SmallCaps", "Superscript", "Subscript"), _words),
    "Quoted": _quoted,
    "Math": _math,
    "Cite": lambda content: f"[{', '.join(cited['citationId'] for cited in content[0])}]",
    "Note": lambda content: f" ({' '.join(block.text for block in _blocks(content)).strip()})",
    "RawInline": _raw,
    "Code": lambda content: content[1],
    "Link": lambda content: _words(content[1]),
    "Span": _span,
    "Image": lambda _: "",
}


def _raised(content: Sequence[Node], before: str) -> str:
    words, linked = _words(content), any(node["t"] == "Link" for node in content)
    if re.fullmatch(r"\[.*\]", words):
        return f" {words}"
    if _CITED.fullmatch(words) and (linked or _BEFORE_MARK.search(before)):
        return f" [{words}]"
    ordinal = words in ("st", "nd", "rd", "th") and before[-1:].isdigit()
    return words if ordinal else f"^{_grouped(words)}" if words else ""


def _grouped(words: str) -> str:
    return words if re.fullmatch(r"[-−+]?\w+(?:\.\d+)?", words) else f"({words})"
