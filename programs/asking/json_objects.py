"""The JSON objects in what a model said, with whatever stands around them: fences, words, a thought before the reply."""

import ast
import json
import math
import re
from typing import Any, NamedTuple

from programs.asking.latex_escapes import with_latex

_MOST_STARTS = 200
_MOST_MENDED = 3
_LONGEST_LITERAL, _DEEPEST_LITERAL = 100_000, 200

_OPENS = re.compile(r"""\{\s*["'}]""")
# At the place of the error: before or behind the comma, as Python's version has it.
_TRAILING_COMMA = re.compile(r",?\s*[}\]]")
_STRING_OR_TRAILING_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)
_SINGLE_QUOTED = re.compile(r"\{\s*'")
# Python escapes more than JSON does, and would take LaTeX for it.
_OTHER_ESCAPES = re.compile(r"\\(?!['n])")


class Found(NamedTuple):
    """The whole objects in a text, in their order, none inside another; or that the last one stops in the middle, and
    then none: what stands before it is a draft."""

    objects: list[dict[str, Any]]
    cut: bool


def objects_in(said: str) -> Found:
    """What a reply holds. A text that is one JSON string is read as what that says."""
    if said.lstrip().startswith('"'):
        try:
            inner = json.loads(said, strict=False)
        except ValueError:
            inner = None
        said = inner if isinstance(inner, str) else said
    text = with_latex(said)
    objects: list[dict[str, Any]] = []
    place = mended = 0
    for _ in range(_MOST_STARTS):
        start = _OPENS.search(text, place)
        if start is None:
            break
        try:
            value, place = _decoded(text, start.start())
            objects.append(value)
        except RecursionError:
            return Found([], cut=False)
        except json.JSONDecodeError as error:
            place = start.start()
            if mended < _MOST_MENDED and _TRAILING_COMMA.match(text, error.pos):
                text, mended = text[:place] + _without_trailing_commas(text[place:]), mended + 1
            elif _ran_out(error):
                return Found([], cut=True)
            else:
                place += 1
    return Found(objects, cut=False)


def _decoded(text: str, start: int) -> tuple[dict[str, Any], int]:
    """The object at a brace and where it ends. Raises `JSONDecodeError`, or `RecursionError`."""
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        literal = _literal(text[start : text.rfind("}") + 1])
        if literal is None:
            raise
        return literal, len(text)


def _without_trailing_commas(text: str) -> str:
    """The text with a space in place of each."""
    return _STRING_OR_TRAILING_COMMA.sub(lambda found: " " if found.group() == "," else found.group(), text)


def _literal(text: str) -> dict[str, Any] | None:
    """A Python dictionary with single quotes, as some models write one; None for what is none, or may be costly."""
    deep = text.count("{") + text.count("[") + text.count("(") > _DEEPEST_LITERAL
    if not _SINGLE_QUOTED.match(text) or len(text) > _LONGEST_LITERAL or deep or _OTHER_ESCAPES.search(text):
        return None
    try:
        value, _ = _DECODER.raw_decode(json.dumps(ast.literal_eval(text)))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _ran_out(error: json.JSONDecodeError) -> bool:
    """Whether an object could not be read because the text ends before it does."""
    rest = error.doc[error.pos :].strip("` \n")
    # Of a number or a word that is cut, the beginning may be read, or nothing.
    return error.msg.startswith("Unterminated string") or (len(rest) < len("false") + 3 and "}" not in rest)


def _int(digits: str) -> int | None:
    return int(digits) if len(digits) <= 18 else None


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


# Numbers that the journal could not write are none: NaN, infinities, and more digits than 64 bits hold.
_DECODER = json.JSONDecoder(strict=False, parse_int=_int, parse_float=_float, parse_constant=lambda _: None)
