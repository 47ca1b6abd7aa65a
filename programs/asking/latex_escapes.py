r"""LaTeX that a model wrote into a JSON string with single backslashes, read as it was meant.

To JSON, \b, \f, \n, \r, \t and \u are escapes: \beta, \frac, \nu, \rho, \tau become control characters with letters behind
them. None of these but a line end ever stands before a letter in prose. A line end does: there `\n` is one, unless what
follows is the name of a command.
"""

import re
from collections.abc import Iterable

# What stands behind the n in names of TeX, LaTeX, amsmath, amssymb, mathtools, siunitx and physics; none is a word.
_NAMES = """
abla atural earrow eqq eqsim eqslant ewcommand ewenvironment ewline ewpage ewtheorem geq geqq geqslant gg gtr
gtrapprox gtrsim icefrac Leftarrow Leftrightarrow leftarrow leftrightarrow leq leqq leqslant ll lessapprox lessgtr lesssim
obreak ocite oindent olimits olinebreak onumber opagebreak orm ormal ormalcolor ormalfont ormalsize ot otag otin
otni otowner preceq preccurlyeq precsim rightarrow Rightarrow shortmid shortparallel simeq subseteq subseteqq succeq
succcurlyeq succsim supset supseteq supseteqq triangleleft trianglelefteq triangleright trianglerighteq umlist
umrange vdash vDash Vdash VDash warrow
"""
_SYMBOLS = ("u", "e", "i", "eq")
_WORDS = ("cong", "eg", "exists", "less", "mid", "parallel", "prec", "sim", "subset", "succ", "um")
"""Behind the n of \\nu, \\ne, \\ni, \\ncong ...: a line may begin with these, too."""


def _any_of(names: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(names, key=len, reverse=True)) + ")(?![a-zA-Z])"


_STRAY = re.compile(
    r"\\(?:(?P<pair>\\)"
    r"|(?P<apostrophe>(?='))"
    r"|(?![\"\\/bfnrtu])"
    r"|(?=[bfrt][a-zA-Z])"
    r"|(?=u(?![0-9a-fA-F]{4}))"
    rf"|(?=n{_any_of(_NAMES.split())})"
    rf"|(?P<symbol>(?=n{_any_of(_SYMBOLS)}))"
    rf"|(?P<word>(?=n{_any_of(_WORDS)})))"
)
_PART_OF_FORMULA = re.compile(r"\\n[a-z]+[_^{$]")
_NEXT_TO_OPERAND = re.compile(r"\\n[a-z]+(?![a-z])\s*(?:[a-zA-Z0-9](?![a-zA-Z])|[$({+-]|\\[a-zA-Z])")
_BEGINS_A_SENTENCE = re.compile(r"\\n[a-z]+\s+(?:is|was|are|denotes|means|has)\b")
_BEFORE = re.compile(
    r"(?P<command>\\[a-zA-Z]+)\Z|(?P<word>[^\W\d_]{2,})\Z|(?P<mark>[.!?:;,\"”\n])\Z|(?P<closed>[)\]])\Z"
)
_SHOWN = 40


def with_latex(text: str) -> str:
    """JSON `text` with the backslashes of LaTeX commands written twice, as JSON wants them."""
    return _STRAY.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    if found.lastgroup == "apostrophe":
        return ""
    keeps = found.lastgroup == "pair" or (found.lastgroup in ("symbol", "word") and not _is_command(found))
    return found.group() if keeps else "\\\\"


def _is_command(found: re.Match[str]) -> bool:
    """Whether a name that a line could begin with as well stands in a formula."""
    text, start = found.string, found.start()
    if _PART_OF_FORMULA.match(text, start):
        return True
    before = _BEFORE.search(text[max(0, start - _SHOWN) : start])
    kind = before.lastgroup if before else None
    if kind in ("word", "mark") or (before and before.group() in (r"\n", r"\r")):
        return False
    if kind == "closed" and _BEGINS_A_SENTENCE.match(text, start):
        return False
    return found.lastgroup == "symbol" or _NEXT_TO_OPERAND.match(text, start) is not None
