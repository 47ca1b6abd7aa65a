r"""The JSON objects in what a model said, with whatever stands around them, and LaTeX in their texts.

A library that repairs JSON is not used: it closes what stops in the middle, and knows no LaTeX. To JSON, \b, \f, \n, \r,
\t and \u are escapes: \beta, \frac, \nu, \rho, \tau would become control characters with letters behind them. None of
these but a line end ever stands before a letter in prose; there `\n` is one, unless the name of a command follows.
"""

import contextlib
import json
import math
import re
from typing import Any, NamedTuple

_MOST_STARTS, _MOST_MENDED = 200, 3

_OPENS = re.compile(r'\{\s*["}]')
# At the error: before or behind the comma, as Python's version has it.
_TRAILING_COMMA = re.compile(r",?\s*[}\]]")
_STRING_OR_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
# Numbers that the journal could not write are none: NaN, infinities, and more digits than 64 bits hold.
_DECODER = json.JSONDecoder(
    strict=False,
    parse_int=lambda digits: int(digits) if len(digits) <= 18 else None,
    parse_float=lambda digits: float(digits) if math.isfinite(float(digits)) else None,
    parse_constant=lambda _: None,
)


class Found(NamedTuple):
    """The whole objects in a text, in their order, none inside another; or that the last one stops in the middle, and
    then none: what stands before it is a draft."""

    objects: list[dict[str, Any]]
    cut: bool


def objects_in(said: str) -> Found:
    """What a reply holds. A text that is one JSON string is read as what that says."""
    if said.lstrip().startswith('"'):
        with contextlib.suppress(ValueError):
            inner = json.loads(said, strict=False)
            said = inner if isinstance(inner, str) else said
    text = _STRAY.sub(_written, said)
    objects: list[dict[str, Any]] = []
    position = mended = 0
    for _ in range(_MOST_STARTS):
        start = _OPENS.search(text, position)
        if start is None:
            break
        position = start.start()
        try:
            value, position = _DECODER.raw_decode(text, position)
            objects.append(value)
        except RecursionError:
            return Found([], cut=False)
        except json.JSONDecodeError as error:
            rest = text[error.pos :].strip("` \n")
            if mended < _MOST_MENDED and _TRAILING_COMMA.match(text, error.pos):
                text, mended = text[:position] + _STRING_OR_TRAILING_COMMA.sub(r"\1 ", text[position:]), mended + 1
            # Of a number or a word that is cut, the beginning may be read, or nothing.
            elif error.msg.startswith("Unterminated string") or (len(rest) < len("false") + 3 and "}" not in rest):
                return Found([], cut=True)
            else:
                position += 1
    return Found(objects, cut=False)


# What stands behind the n in names of TeX, LaTeX, amsmath, amssymb, mathtools, siunitx and physics; none is a word.
_NAMES = """
abla asymp atural earrow eqq eqsim eqslant equiv ewcolumntype ewcommand ewenvironment ewif ewline ewpage ewtheorem ewton
geq geqq geqslant gg gtr gtrapprox gtrsim icefrac Leftarrow Leftrightarrow leftarrow leftrightarrow leq leqq leqslant ll
lessapprox lessgtr lesssim oalign obreak obreakspace ocite oexpand oindent olimits olinebreak olinkurl onumber
opagebreak orm ormal ormalcolor ormalfont ormalsize ot otag otin otni otowner preceq preccurlyeq precsim rightarrow
Rightarrow shortmid shortparallel simeq subseteq subseteqq succeq succcurlyeq succsim supset supseteq supseteqq
triangleleft trianglelefteq triangleright trianglerighteq ullfont umberlist umberwithin umlist umproduct umrange vdash
vDash Vdash VDash warrow
"""
# Of \nu, \ne, \ni, \ncong ...: a line may begin with these, too.
_SYMBOLS, _WORDS = "u e i eq", "ano cong eg exists less mid parallel prec sim subset succ um"


def _any_of(names: str) -> str:
    return f"n(?:{'|'.join(sorted(names.split(), key=len, reverse=True))})(?![a-zA-Z])"


_STRAY = re.compile(
    r"\\(?:(?P<pair>\\)|(?P<apostrophe>(?='))|(?![\"\\/bfnrtu])|(?=[bfrt][a-zA-Z])|(?=u(?![0-9a-fA-F]{4}))"
    rf"|(?={_any_of(_NAMES)})|(?P<symbol>(?={_any_of(_SYMBOLS)}))|(?P<word>(?={_any_of(_WORDS)})))"
)
_PART_OF_FORMULA = re.compile(r"\\n[a-z]+[_^{}$]|\\nano\\")
_NEXT_TO_OPERAND = re.compile(r"\\n[a-z]+(?![a-z])\s*(?:[a-zA-Z0-9](?![a-zA-Z])|[$({+-]|\\[a-zA-Z])")
_BEGINS_A_SENTENCE = re.compile(r"\\n(?:[a-z]+\s+(?:is|was|are|denotes|means|has)\b|i\s+[a-z]{2})")
_PROSE_BEFORE = re.compile(r"(?:(?<![\\a-zA-Z])[^\W\d_]{2,}|\\[nr]|[.!?:;,”\n]|\\\")\Z")
_ENDS_BEFORE = re.compile(r"[\])}$\d]\Z")
_QUOTE = re.compile(r'(?<!\\)"')
_SHOWN, _LONGEST_STRING = 40, 4000


def _written(found: re.Match[str]) -> str:
    """What is put for a backslash, so that those of LaTeX commands are written twice, as JSON wants them."""
    if found.lastgroup == "apostrophe":
        return ""
    keeps = found.lastgroup == "pair" or (found.lastgroup in ("symbol", "word") and not _is_command(found))
    return found.group() if keeps else "\\\\"


def _is_command(found: re.Match[str]) -> bool:
    """Whether a name that a line could begin with as well stands in a formula."""
    text, start = found.string, found.start()
    string = _QUOTE.split(text[max(0, start - _LONGEST_STRING) : start])[-1]
    if not string or string.count("$") % 2 or _PART_OF_FORMULA.match(text, start):
        return True
    before = string[-_SHOWN:]
    if _PROSE_BEFORE.search(before) or (_ENDS_BEFORE.search(before) and _BEGINS_A_SENTENCE.match(text, start)):
        return False
    return found.lastgroup == "symbol" or _NEXT_TO_OPERAND.match(text, start) is not None
