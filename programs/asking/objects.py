r"""Finds the JSON objects in a reply, whatever surrounds them, and keeps the LaTeX commands in their texts.

No JSON-repair library is used: it would close truncated objects, and knows no LaTeX. In JSON, \b, \f, \n, \r, \t and \u
are escapes, so \beta, \frac, \nu, \rho and \tau would become control characters followed by letters. In prose, only a line
end ever precedes a letter. So before a letter they are read as LaTeX, except `\n` if no command's name follows.
"""

import contextlib
import json
import math
import re
from typing import Any, NamedTuple

_MAX_STARTS, _MAX_REPAIRS = 200, 3

_OBJECT_START = re.compile(r'\{\s*["}]')
# Matched at the position of the error: before or after the comma, depending on the version of Python.
_TRAILING_COMMA = re.compile(r",?\s*[}\]]")
_STRING_OR_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
# Numbers that the journal cannot store become None: NaN, infinities, and integers that may exceed 64 bits.
_DECODER = json.JSONDecoder(
    strict=False,
    parse_int=lambda digits: int(digits) if len(digits) <= 18 else None,
    parse_float=lambda digits: float(digits) if math.isfinite(float(digits)) else None,
    parse_constant=lambda _: None,
)


class FoundObjects(NamedTuple):
    """The whole objects in a text, in order, without those nested in others. `cut`: the last object stops in the middle;
    `objects` is then empty, since any before it are drafts."""

    objects: list[dict[str, Any]]
    cut: bool


def objects_in(reply: str) -> FoundObjects:
    """The objects in a reply. If the reply is one JSON string, those in the text of that string."""
    if reply.lstrip().startswith('"'):
        with contextlib.suppress(ValueError):
            inner = json.loads(reply, strict=False)
            reply = inner if isinstance(inner, str) else reply
    text = _BACKSLASH.sub(_replace_backslash, reply)
    objects: list[dict[str, Any]] = []
    position = repairs = 0
    for _ in range(_MAX_STARTS):
        start = _OBJECT_START.search(text, position)
        if start is None:
            break
        position = start.start()
        try:
            value, position = _DECODER.raw_decode(text, position)
            objects.append(value)
        except RecursionError:
            return FoundObjects([], cut=False)
        except json.JSONDecodeError as error:
            rest = text[error.pos :].strip("` \n")
            if repairs < _MAX_REPAIRS and _TRAILING_COMMA.match(text, error.pos):
                text, repairs = text[:position] + _STRING_OR_TRAILING_COMMA.sub(r"\1 ", text[position:]), repairs + 1
            # A number or a literal (`false`) that is cut leaves at most a few characters after the error.
            elif error.msg.startswith("Unterminated string") or (len(rest) < len("false") + 3 and "}" not in rest):
                return FoundObjects([], cut=True)
            else:
                position += 1
    return FoundObjects(objects, cut=False)


# Commands of LaTeX, amsmath, amssymb, mathtools, siunitx and physics without their first n; none is an English word.
_N_COMMANDS = """
abla asymp atural earrow eqq eqsim eqslant equiv ewcolumntype ewcommand ewenvironment ewif ewline ewpage ewtheorem ewton
geq geqq geqslant gg gtr gtrapprox gtrsim icefrac Leftarrow Leftrightarrow leftarrow leftrightarrow leq leqq leqslant ll
lessapprox lessgtr lesssim oalign obreak obreakspace ocite oexpand oindent olimits olinebreak olinkurl onumber
opagebreak orm ormal ormalcolor ormalfont ormalsize ot otag otin otni otowner preceq preccurlyeq precsim rightarrow
Rightarrow shortmid shortparallel simeq subseteq subseteqq succeq succcurlyeq succsim supset supseteq supseteqq
triangleleft trianglelefteq triangleright trianglerighteq ullfont umberlist umberwithin umlist umproduct umrange vdash
vDash Vdash VDash warrow
"""
# The same of \nu, \ne, \ni, \ncong ..., but text after a line end may start like this, too.
_N_SYMBOLS, _N_WORDS = "u e i eq", "ano cong eg exists less mid parallel prec sim subset succ um"


def _any_command(names: str) -> str:
    return f"n(?:{'|'.join(sorted(names.split(), key=len, reverse=True))})(?![a-zA-Z])"


_BACKSLASH = re.compile(
    r"\\(?:(?P<pair>\\)|(?P<apostrophe>(?='))|(?![\"\\/bfnrtu])|(?=[bfrt][a-zA-Z])|(?=u(?![0-9a-fA-F]{4}))"
    rf"|(?={_any_command(_N_COMMANDS)})|(?P<symbol>(?={_any_command(_N_SYMBOLS)}))|(?P<word>(?={_any_command(_N_WORDS)})))"
)
_PART_OF_FORMULA = re.compile(r"\\n[a-z]+[_^{}$]|\\nano\\")
_NEXT_TO_OPERAND = re.compile(r"\\n[a-z]+(?![a-z])\s*(?:[a-zA-Z0-9](?![a-zA-Z])|[$({+-]|\\[a-zA-Z])")
_STARTS_A_SENTENCE = re.compile(r"\\n(?:[a-z]+\s+(?:is|was|are|denotes|means|has)\b|i\s+[a-z]{2})")
_PROSE_BEFORE = re.compile(r"(?:(?<![\\a-zA-Z])[^\W\d_]{2,}|\\[nr]|[.!?:;,”\n]|\\\")\Z")
_FORMULA_END_BEFORE = re.compile(r"[\])}$\d]\Z")
_UNESCAPED_QUOTE = re.compile(r'(?<!\\)"')
_CONTEXT_CHARS, _MAX_STRING_CHARS = 40, 4000


def _replace_backslash(match: re.Match[str]) -> str:
    """The replacement of a backslash: those of LaTeX commands are doubled, as JSON requires."""
    if match.lastgroup == "apostrophe":
        return ""
    keeps = match.lastgroup == "pair" or (match.lastgroup in ("symbol", "word") and not _is_command(match))
    return match.group() if keeps else "\\\\"


def _is_command(match: re.Match[str]) -> bool:
    """Whether the match is a command in a formula, not a line end before a line that starts with the same letters."""
    text, start = match.string, match.start()
    string = _UNESCAPED_QUOTE.split(text[max(0, start - _MAX_STRING_CHARS) : start])[-1]
    if not string or string.count("$") % 2 or _PART_OF_FORMULA.match(text, start):
        return True
    before = string[-_CONTEXT_CHARS:]
    if _PROSE_BEFORE.search(before) or (_FORMULA_END_BEFORE.search(before) and _STARTS_A_SENTENCE.match(text, start)):
        return False
    return match.lastgroup == "symbol" or _NEXT_TO_OPERAND.match(text, start) is not None
