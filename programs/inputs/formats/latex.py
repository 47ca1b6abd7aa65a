"""LaTeX (.tex), as pandoc reads it: the text between \\begin{document} and \\end{document}, or, without them, all of it.

Commands that the paper defines are written out; files that it includes (\\input, \\include) are not followed. What TeX
would not see is taken out before: comments with the line end that they take along, what \\iffalse hides. What pandoc would
keep as LaTeX or leave out is written in commands that it knows.
"""

import re

from programs.inputs.formats.pandoc import APPENDIX_MARK, blocks_of, meta_text, tree_of
from programs.inputs.formats.paper import Paper, paper_of
from programs.inputs.formats.text import decoded
from programs.inputs.papers import doi_in, licence_in
from programs.inputs.report import Unreadable

_LATIN = re.compile(rb"\\usepackage\[(?:latin1|latin9|ansinew|cp1252)\]\{inputenc\}")


def _nested(depth: int) -> str:
    return r"(?:[^{}\\]|\\.)*" if depth == 0 else rf"(?:[^{{}}\\]|\\.|\{{{_nested(depth - 1)}\}})*"


_BRACES = rf"\s*\{{({_nested(4)})\}}"
_OPTION = r"(?:\s*\[[^\]]*\])?"
_COMMENT = re.compile(
    rf"(?P<kept>\\(?:b?url|href|path|nolinkurl){_BRACES}"
    r"|\\(?:verb\*?|lstinline(?:\[[^\]]*\])?|url|path|mintinline\{\w+\})(?P<mark>[^\sa-zA-Z*{\[])[^\n]*?(?P=mark)"
    r"|\\begin\{(?P<name>verbatim\*?|lstlisting|minted)\}.*?\\end\{(?P=name)\}|\\[\\%])"
    r"|%[^\n]*(?:\n[ \t]*|\Z)",
    re.DOTALL,
)
_AS_URL = re.compile(r"\A\\(?:burl|path|nolinkurl)(?=\s*\{)")
_CONDITION = r"\\if(?!f\b|thenelse\b)[a-zA-Z@]*(?:(?!\\if|\\fi\b).)*\\fi\b"
_HIDDEN = re.compile(rf"\\iffalse\b(?:{_CONDITION}|(?!\\fi\b|\\else\b).)*\\(?:fi|else)\b\s?", re.DOTALL)
_DELIMITED_URL = re.compile(r"\\(?:url|path)(?P<mark>[|!+/])(?P<address>[^\n]*?)(?P=mark)")
_FLOATS = r"(?:wrap|margin|floating|sideways|SC|rotating)(figure|table)\*?"
_THANKS = r"acknowledge?ments?|acks"
_THEIRS = re.compile(r"\\(?:newtheorem\*?|(?:re)?newenvironment)\s*\{(\w+)\*?\}")
_KNOWN = (
    "document abstract sloppypar letter minipage figure subfigure table center quote quotation verse itemize description"
    " enumerate alltt code comment verbatim Verbatim lstlisting minted obeylines tikzpicture tabular tabularx tabulary"
    " longtable array math displaymath equation gather multline eqnarray align alignat flalign aligned split cases matrix"
    " pmatrix bmatrix vmatrix Vmatrix smallmatrix gathered dmath proof"
)
"""Environments that pandoc reads; the words in any other would be lost."""
_REWRITTEN = (
    (r"\\begin\{keywords?\}.*?\\end\{keywords?\}", ""),
    (r"\\endinput\b(?:(?!\\end\{document\}).)*", ""),
    (r"\\appendix\b(?!\*?\{)|\\begin\{append(?:ix|ices)\}", rf"\n\n\\section{{{APPENDIX_MARK}}}\n\n"),
    (rf"\\(?:{_THANKS}){_BRACES}", r"\n\n\\section{Acknowledgements}\n\n\1\n\n"),
    (rf"\\begin\{{(?:{_THANKS})\}}|\\(?:{_THANKS})\b", r"\n\n\\section{Acknowledgements}\n\n"),
    (rf"\\abstract{_BRACES}(?:{_BRACES})?(?:{_BRACES})?(?:{_BRACES})?(?:{_BRACES})?",
     r"\n\n\\begin{abstract}\1\n\n\2\n\n\3\n\n\4\n\n\5\\end{abstract}\n\n"),
    (rf"\\begin\{{thebibliography\}}{_BRACES}", r"\n\n\\section{References}\n\n"),
    (rf"\\bibitem{_OPTION}{_BRACES}", r"\n\n"),
    (rf"\\begin\{{(deluxetable\*?)\}}.*?\\tablecaption{_BRACES}.*?\\end\{{\1\}}", r"\n\n\2\n\n"),
    (rf"\\begin\{{{_FLOATS}\}}(?:\[[^\]]*\]|\{{[^{{}}]*\}})*", r"\\begin{\1}"),
    (rf"\\end\{{{_FLOATS}\}}", r"\\end{\1}"),
    (rf"\\(?:input|include|includegraphics)\*?{_OPTION}{_BRACES}", ""),
)  # fmt: skip
"""What pandoc would keep as LaTeX, in commands that it knows: parts of papers, classes' own environments, other files."""


def read_latex(data: bytes) -> Paper:
    try:
        source = decoded(data)
    except Unreadable:
        if not _LATIN.search(data):
            raise
        # It has nearly all that the others have.
        source = data.decode("cp1252", errors="replace")
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    seen = _COMMENT.sub(lambda found: _AS_URL.sub(r"\\url", found["kept"] or ""), source)
    seen = _DELIMITED_URL.sub(r"\\url{\g<address>}", _HIDDEN.sub("", seen))
    doi = re.search(rf"\\doi{_BRACES}", seen)
    fields = {"doi": doi_in(f"doi:{doi[1]}") if doi else doi_in(source[:4000]), "license": licence_in(source)}
    for pattern, written in _REWRITTEN:
        seen = re.sub(pattern, written, seen, flags=re.DOTALL)
    tree = tree_of(_opened(seen).encode(), "latex+raw_tex")
    return paper_of(blocks_of(tree), meta_text(tree, "title"), fields)


def _opened(source: str) -> str:
    """The source with the words of environments that neither pandoc nor the paper knows, in paragraphs of their own."""
    known = "|".join([*_KNOWN.split(), *_THEIRS.findall(source), r"\w*eqnarray\w*"])
    mark = rf"\\(?:begin|end)\{{(?!(?:{known})\*?\}})\w+\*?\}}(?:\[[^\]]*\])?(?!\s*\\newcommand)"
    return re.sub(mark, "\n\n", source)
