"""LaTeX (.tex), as pandoc reads it: the body by its sectioning commands; formulas stay LaTeX.

Commands that the paper defines are written out; other files that it includes (\\input, \\include) are not followed. Figures
and tables leave their captions. What TeX would not see is taken out before: comments with the line end that they take along
(pandoc leaves a blank there), and what stands between \\iffalse and \\fi.
"""

from __future__ import annotations

import re

from programs.inputs.formats.marks import doi_in, licence_in
from programs.inputs.formats.pandoc import APPENDIX_MARK, blocks_of, meta_text, tree_of
from programs.inputs.formats.paper import Paper, paper_of
from programs.inputs.formats.text import decoded

_LATIN = re.compile(rb"\\usepackage\[(latin1|latin9|ansinew|cp1252)\]\{inputenc\}")
_CODECS = {"latin1": "latin-1", "latin9": "iso8859-15", "ansinew": "cp1252", "cp1252": "cp1252"}
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


def read(data: bytes) -> Paper:
    """The text between \\begin{document} and \\end{document}, or, without them, all of it."""
    source = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    seen = _UNSEEN.sub(lambda found: found["kept"] or "", source)
    doi = re.search(r"\\doi\s*\{([^{}]+)\}", seen)
    fields = {"doi": doi_in(f"doi:{doi[1]}") if doi else doi_in(source[:4000]), "license": licence_in(source)}
    for pattern, told in _TOLD:
        seen = re.sub(pattern, told, seen, flags=re.DOTALL)
    tree = tree_of(seen.encode(), "latex+raw_tex")
    return paper_of(blocks_of(tree), title=meta_text(tree, "title"), fields=fields)


def _decoded(data: bytes) -> str:
    """The source in the encoding that it declares, where it is not UTF-8. Raises `Unreadable` for any other."""
    latin = _LATIN.search(data)
    if latin is None:
        return decoded(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_CODECS[latin[1].decode()], errors="replace")
