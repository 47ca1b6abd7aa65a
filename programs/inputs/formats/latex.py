"""LaTeX (.tex): the body's text by its sectioning commands; formulas stay LaTeX.

Left out are the preamble, comments, and what figures and tables are made of; their captions stay. Commands that the paper
defines itself without arguments are written out. Other files that it includes (\\input, \\include) are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pylatexenc.latex2text import EnvironmentTextSpec, LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
from pylatexenc.latexwalker import (
    LatexEnvironmentNode,
    LatexMacroNode,
    LatexWalker,
    LatexWalkerError,
)
from pylatexenc.latexwalker import get_default_latex_context_db as walker_context
from pylatexenc.macrospec import MacroSpec, std_environment

from programs.inputs.formats.marks import doi_in, licence_in
from programs.inputs.formats.paper import DAMAGED, Block, Paper, Unreadable, paper_of
from programs.inputs.formats.text import decoded
from programs.inputs.headings import ACKNOWLEDGEMENTS, APPENDIX, REFERENCES

_LEVELS = {
    "part": 0,
    "chapter": 0,
    "section": 1,
    "subsection": 2,
    "subsubsection": 3,
    "paragraph": 4,
    "subparagraph": 5,
}
_THANKS = ("acknowledgments", "acknowledgements", "acknowledgment", "acknowledgement", "acks")
_NOT_SHOWN = """title author date affiliation affil altaffiliation altaffilmark altaffiltext email address institute thanks
keywords pacs preprint shorttitle shortauthors titlerunning authorrunning correspondingauthor collaboration orcid orcidlink
received accepted published doi bibliography bibliographystyle"""
_ABOUT = _NOT_SHOWN.split()
_CITATIONS = "cite citep citet citealt citealp citeauthor citeyear Citet Citep textcite parencite autocite footcite"
_CITING = _CITATIONS.split()
_PLUMBING = {
    **dict.fromkeys(["vspace", "hspace"], "*{"),
    **dict.fromkeys(["setcounter", "setlength", "addtocounter"], "{{"),
    **dict.fromkeys(["pagestyle", "thispagestyle", "graphicspath", "input", "include", "hypersetup", "label"], "{"),
    **dict.fromkeys(["documentclass", "usepackage", "captionsetup"], "[{"),
    "includegraphics": "*[{",
    "addcontentsline": "{{{",
}
"""Commands that print nothing, with their arguments as pylatexenc writes them."""
_SILENT = ("maketitle", "centering", "noindent", "newcommand", "renewcommand", "clearpage", "newpage", "onecolumn")
_FLOATS = ("figure", "figure*", "table", "table*", "deluxetable", "deluxetable*", "wrapfigure", "SCfigure", "algorithm")
_DROPPED = ("tikzpicture", "tabular", "tabular*", "longtable", "filecontents", "comment", "picture", "CCSXML")
_DEFINED = re.compile(
    r"\\(?:(?:re|provide)?newcommand|providecommand|renewcommand)\*?\s*\{?\\([a-zA-Z]+)\}?\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
    r"|\\def\s*\\([a-zA-Z]+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
)
_LONGEST_DEFINITION = 200
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_BODY = re.compile(r"\\begin\s*\{document\}(.*?)(?:\\end\s*\{document\}|\Z)", re.DOTALL)
_LATIN = re.compile(rb"\\usepackage\[(latin1|latin9|ansinew|cp1252)\]\{inputenc\}")
_CODECS = {"latin1": "latin-1", "latin9": "iso8859-15", "ansinew": "cp1252", "cp1252": "cp1252"}


def read(data: bytes) -> Paper:
    """The text between \\begin{document} and \\end{document}, or, without them, all of it."""
    latin = _LATIN.search(data)
    source = data.decode(_CODECS[latin[1].decode()]) if latin and not _utf8(data) else decoded(data)
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    bare = _COMMENT.sub(r"\1", source)
    body = _BODY.search(bare)
    written = _written_out(body[1] if body else bare, bare)
    try:
        blocks = list(_Blocks().of(_nodes(written)))
        title = _argument(bare, "title")
    except (LatexWalkerError, RecursionError) as error:
        raise Unreadable(DAMAGED) from error
    doi = re.search(r"\\doi\s*\{([^{}]+)\}", bare)
    fields = {"doi": doi_in(f"doi:{doi[1]}") if doi else doi_in(source[:4000]), "license": licence_in(source)}
    return paper_of(blocks, title=title, fields=fields)


class _Blocks:
    """Turns nodes into blocks. From \\appendix on all is of that kind."""

    def __init__(self) -> None:
        self._kind: str | None = None
        self._words = LatexNodes2Text(latex_context=_text_context(), math_mode="verbatim", keep_comments=False)

    def of(self, nodes: Sequence[Any]) -> Iterator[Block]:
        held: list[Any] = []
        for node in nodes:
            found = self._special(node)
            if found is None:
                held.append(node)
                continue
            yield from self._paragraphs(held)
            held = []
            yield from found
        yield from self._paragraphs(held)

    def _special(self, node: Any) -> Iterator[Block] | None:
        """The blocks of a node that is more than words of a paragraph; None where it is not."""
        if isinstance(node, LatexMacroNode):
            return self._macro(node)
        if isinstance(node, LatexEnvironmentNode):
            return self._environment(node)
        return None

    def _macro(self, node: Any) -> Iterator[Block] | None:
        if node.macroname in _LEVELS:
            return iter([Block(self._plain(_last(node)), _LEVELS[node.macroname], self._kind)])
        if node.macroname in _THANKS:
            return iter([Block("Acknowledgements", 1, ACKNOWLEDGEMENTS)])
        if node.macroname == "appendix":
            self._kind = APPENDIX
            return iter([])
        return None

    def _environment(self, node: Any) -> Iterator[Block] | None:
        name = node.environmentname
        if name == "abstract":
            return iter([Block("Abstract", 1), *self.of(node.nodelist)])
        if name == "thebibliography":
            return iter([Block("References", 1, REFERENCES), *self.of(node.nodelist)])
        if name in _THANKS:
            return iter([Block("Acknowledgements", 1, ACKNOWLEDGEMENTS), *self.of(node.nodelist)])
        if name in ("appendix", "appendices"):
            self._kind = APPENDIX
            return self.of(node.nodelist)
        if name in _FLOATS:
            return (Block(self._plain(caption)) for caption in _captions(node.nodelist))
        if name in ("document", "widetext", "onecolumn", "multicols") or _sections_within(node.nodelist):
            return self.of(node.nodelist)
        return None

    def _paragraphs(self, nodes: list[Any]) -> Iterator[Block]:
        for paragraph in re.split(r"\n[ \t]*\n", self._words.nodelist_to_text(nodes)):
            yield Block("\n".join(line.strip() for line in paragraph.split("\n") if line.strip()))

    def _plain(self, nodes: list[Any]) -> str:
        return " ".join(self._words.nodelist_to_text(nodes).split())


def _text_context() -> Any:
    context = get_default_latex_context_db()
    nothing = [MacroTextSpec(name, "") for name in [*_ABOUT, *_PLUMBING, *_SILENT]]
    context.add_context_category(
        "papers",
        prepend=True,
        macros=[
            *nothing,
            *(MacroTextSpec(name, _reference) for name in ("ref", "eqref", "autoref", "cref", "Cref", "pageref")),
            *(MacroTextSpec(name, _reference) for name in _CITING),
            MacroTextSpec("bibitem", "\n\n"),
            MacroTextSpec("footnote", lambda node, l2tobj: f" ({l2tobj.nodelist_to_text(_last(node)).strip()})"),
        ],
        environments=[EnvironmentTextSpec(name, discard=True) for name in _DROPPED],
    )
    # What nobody knows stays as it is written, apart from the words after it.
    context.set_unknown_macro_spec(MacroTextSpec("", lambda node: f"{node.latex_verbatim().rstrip()} "))
    return context


def _walker_context() -> Any:
    context = walker_context()
    macros = [MacroSpec(name, "*[{") for name in _LEVELS]
    macros += [MacroSpec(name, "[{") for name in [*_ABOUT, "bibitem", "caption", "tablecaption"]]
    macros += [MacroSpec(name, arguments) for name, arguments in _PLUMBING.items()]
    macros += [MacroSpec(name, "[[{") for name in _CITING]
    macros += [MacroSpec(name, "{") for name in ("autoref", "cref", "Cref", "eqref")]
    environments = [std_environment(name, "[") for name in _FLOATS] + [std_environment("thebibliography", "{")]
    context.add_context_category("papers", prepend=True, macros=macros, environments=environments)
    return context


def _nodes(source: str) -> list[Any]:
    walker = LatexWalker(source, latex_context=_walker_context(), tolerant_parsing=True)
    nodes, _, _ = walker.get_latex_nodes()
    return list(nodes)


def _reference(node: Any, l2tobj: Any) -> str:
    return f"[{l2tobj.nodelist_to_text(_last(node)).strip()}]"


def _last(node: Any) -> list[Any]:
    """What stands in a command's last argument."""
    arguments = [
        argument for argument in (node.nodeargd.argnlist if node.nodeargd else []) or [] if argument is not None
    ]
    if not arguments:
        return []
    return list(getattr(arguments[-1], "nodelist", None) or [arguments[-1]])


def _captions(nodes: Sequence[Any]) -> Iterator[list[Any]]:
    for node in nodes:
        if isinstance(node, LatexMacroNode) and node.macroname in ("caption", "tablecaption"):
            yield _last(node)
        elif getattr(node, "nodelist", None):
            yield from _captions(node.nodelist)


def _sections_within(nodes: Sequence[Any]) -> bool:
    return any(isinstance(node, LatexMacroNode) and node.macroname in _LEVELS for node in nodes)


def _argument(source: str, name: str) -> str | None:
    """The text of a command's argument, where it first stands."""
    found = re.search(rf"\\{name}(?![a-zA-Z])", source)
    if not found:
        return None
    # A title is short; what follows it is none of its.
    nodes = _nodes(source[found.start() : found.start() + 2000])
    words = LatexNodes2Text(latex_context=_text_context(), math_mode="verbatim")
    return (
        words.nodelist_to_text(_last(nodes[0])).replace("\\\\", " ")
        if nodes and hasattr(nodes[0], "nodeargd")
        else None
    )


def _written_out(body: str, source: str) -> str:
    """The body with the paper's own commands replaced by what they stand for, twice, for those made of others."""
    defined = {match[1] or match[3]: match[2] if match[1] else match[4] for match in _DEFINED.finditer(source)}
    defined = {name: words for name, words in defined.items() if len(words) <= _LONGEST_DEFINITION and "#" not in words}
    if not defined:
        return body
    body = _DEFINED.sub("", body)
    used = re.compile(rf"\\({'|'.join(map(re.escape, sorted(defined)))})(?![a-zA-Z])(?:\s*\{{\}})?")
    for _ in range(2):
        body = used.sub(lambda match: defined[match[1]], body)
    return body


def _utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
