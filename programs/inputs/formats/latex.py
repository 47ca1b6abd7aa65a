"""Reads LaTeX (.tex) with pandoc: the text between \\begin{document} and \\end{document}, or, without these, all of it.

Commands that the paper defines are expanded; included files (\\input, \\include) are not followed. What TeX ignores is
removed first: comments with their line ends, and what \\iffalse hides. What pandoc would keep as LaTeX or drop is
rewritten in commands that it knows.
"""

import re

from programs.inputs.formats.pandoc import APPENDIX_MARK, blocks_of, meta_text, tree_of
from programs.inputs.formats.paper import Paper, paper_of
from programs.inputs.formats.text import decode_text
from programs.inputs.papers import doi_in, licence_in
from programs.inputs.report import Unreadable

_LATIN_ENCODING = re.compile(rb"\\usepackage\[(?:latin1|latin9|ansinew|cp1252)\]\{inputenc\}")


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
_URL_COMMAND = re.compile(r"\A\\(?:burl|path|nolinkurl)(?=\s*\{)")
_CONDITIONAL = r"\\if(?!f\b|thenelse\b)[a-zA-Z@]*(?:(?!\\if|\\fi\b).)*\\fi\b"
_IFFALSE = re.compile(rf"\\iffalse\b(?:{_CONDITIONAL}|(?!\\fi\b|\\else\b).)*\\(?:fi|else)\b\s?", re.DOTALL)
_DELIMITED_URL = re.compile(r"\\(?:url|path)(?P<mark>[|!+/])(?P<address>[^\n]*?)(?P=mark)")
_FLOATS = r"(?:wrap|margin|floating|sideways|SC|rotating)(figure|table)\*?"
_THANKS = r"acknowledge?ments?|acks"
_DEFINED_ENVIRONMENT = re.compile(r"\\(?:newtheorem\*?|(?:re)?newenvironment)\s*\{(\w+)\*?\}")
_KNOWN_ENVIRONMENTS = (
    "document abstract sloppypar letter minipage figure subfigure table center quote quotation verse itemize description"
    " enumerate alltt code comment verbatim Verbatim lstlisting minted obeylines tikzpicture tabular tabularx tabulary"
    " longtable array math displaymath equation gather multline eqnarray align alignat flalign aligned split cases matrix"
    " pmatrix bmatrix vmatrix Vmatrix smallmatrix gathered dmath proof"
)
"""Environments that pandoc reads; the text of any other would be lost."""
_REWRITES = (
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
"""Rewrites what pandoc would keep as LaTeX: parts of papers, environments of document classes, included files."""


def read_latex(data: bytes) -> Paper:
    try:
        source = decode_text(data)
    except Unreadable:
        if not _LATIN_ENCODING.search(data):
            raise
        # cp1252 has nearly all characters of the others.
        source = data.decode("cp1252", errors="replace")
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    visible = _COMMENT.sub(lambda found: _URL_COMMAND.sub(r"\\url", found["kept"] or ""), source)
    visible = _DELIMITED_URL.sub(r"\\url{\g<address>}", _IFFALSE.sub("", visible))
    doi = re.search(rf"\\doi{_BRACES}", visible)
    fields = {"doi": doi_in(f"doi:{doi[1]}") if doi else doi_in(source[:4000]), "license": licence_in(source)}
    for pattern, replacement in _REWRITES:
        visible = re.sub(pattern, replacement, visible, flags=re.DOTALL)
    tree = tree_of(_unwrap_environments(visible).encode(), "latex+raw_tex")
    return paper_of(blocks_of(tree), meta_text(tree, "title"), fields)


def _unwrap_environments(source: str) -> str:
    """Turns environments that neither pandoc nor the paper knows into separate paragraphs, so that their text is read."""
    known = "|".join([*_KNOWN_ENVIRONMENTS.split(), *_DEFINED_ENVIRONMENT.findall(source), r"\w*eqnarray\w*"])
    pattern = rf"\\(?:begin|end)\{{(?!(?:{known})\*?\}})\w+\*?\}}(?:\[[^\]]*\])?(?!\s*\\newcommand)"
    return re.sub(pattern, "\n\n", source)
