"""Repairs text without changing what it says, and values so that JSON can hold them. Pure functions."""

import datetime
import math
import re
from collections.abc import Mapping
from typing import Any

import ftfy
from ftfy.badness import is_bad

from programs.redaction import encodable

# Page breaks, old Mac line ends and Unicode's own separators all end a line, but no other tool sees them do it.
_LINE_END = re.compile("\r\n|[\r\v\f\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff]")
# These stay for the repair, to which they are halves of mojibake or Windows punctuation; what it leaves means nothing.
_CONTROL_C1 = re.compile("[\x80-\x9f]")

MAX_DEPTH = 100
"""Levels of nesting. Deeper values can be read, but the fast JSON writers refuse them from about 250 on."""
_INT64 = range(-(2**63), 2**63)


def clean(text: str) -> str:
    """The text with its damage mended: mojibake decoded, control characters removed, line ends made LF, ends stripped.
    Idempotent. The result encodes to UTF-8. Quotes, ligatures, HTML entities, LaTeX and Greek are left as the author wrote
    them, because a quote from the passage is later looked up in it."""
    # What one repair uncovers can need another; each pass shortens the text or leaves fewer C1 characters, so it ends.
    while (mended := _clean_once(text)) != text:
        text = mended
    return text


def clean_line(text: str) -> str:
    """`clean`, on one line: every run of white space becomes a single space. Idempotent."""
    while (mended := " ".join(clean(text).split())) != text:
        text = mended
    return text


def portable(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A value as every JSON writer takes it: dates become ISO 8601, whole numbers beyond 64 bits strings of their digits,
    lone surrogates U+FFFD, NaN, infinite numbers, bytes and what is foreign to JSON null. Raises RecursionError for what
    is nested deeper than `depth`."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping | list | tuple | set):
        if depth == 0:
            raise RecursionError
        if isinstance(value, Mapping):
            return {encodable(str(key)): portable(item, depth - 1) for key, item in value.items()}
        return [portable(item, depth - 1) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value in _INT64 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value if isinstance(value, bool) else None


def _clean_once(text: str) -> str:
    text = _CONTROL.sub("", encodable(text))
    # The guard is one scan; the repair is much slower, and goes line by line since one damaged paragraph says nothing
    # about the next.
    if not text.isascii() and is_bad(text):
        text = "\n".join(map(ftfy.fix_encoding, text.split("\n")))
    return _LINE_END.sub("\n", _CONTROL_C1.sub("", text)).strip()
