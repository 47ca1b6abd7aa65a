"""Repairs texts without changing their meaning, and converts values to ones that JSON can represent. Pure functions."""

import datetime
import math
import re
from collections.abc import Mapping
from typing import Any

import ftfy
from ftfy.badness import is_bad

from programs.redaction import make_encodable

# Page breaks, old Mac line ends and Unicode separators all end a line, but other tools do not recognise them.
_LINE_END = re.compile("\r\n|[\r\v\f\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff]")
# Mojibake and Windows punctuation contain these, so they are removed only after the repair, when they mean nothing.
_CONTROL_C1 = re.compile("[\x80-\x9f]")

MAX_DEPTH = 100
"""Levels of nesting. Deeper values can be read, but fast JSON writers reject them from about 250 on."""
_INT64 = range(-(2**63), 2**63)


def clean(text: str) -> str:
    """Repairs a text: decodes mojibake, removes control characters, converts line ends to LF, and strips both ends.
    Idempotent. The result encodes to UTF-8. Quotes, ligatures, HTML entities, LaTeX and Greek are left as the author wrote
    them, because quotes from the passage are later looked up in it."""
    # One repair can uncover the next; each pass shortens the text or leaves fewer C1 characters, so the loop ends.
    while (repaired := _clean_once(text)) != text:
        text = repaired
    return text


def clean_line(text: str) -> str:
    """Cleans a text, and collapses every run of white space, line ends included, to a single space. Idempotent."""
    while (repaired := " ".join(clean(text).split())) != text:
        text = repaired
    return text


def to_json_value(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Converts a value to one that every JSON writer accepts: dates to ISO 8601, integers beyond 64 bits to strings of
    digits, lone surrogates to U+FFFD; NaN, infinities, bytes and other types that JSON lacks to null. Raises RecursionError
    if the value is nested deeper than `depth`."""
    if isinstance(value, str):
        return make_encodable(value)
    if isinstance(value, Mapping | list | tuple | set):
        if depth == 0:
            raise RecursionError
        if isinstance(value, Mapping):
            return {make_encodable(str(key)): to_json_value(item, depth - 1) for key, item in value.items()}
        return [to_json_value(item, depth - 1) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value in _INT64 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value if isinstance(value, bool) else None


def _clean_once(text: str) -> str:
    text = _CONTROL.sub("", make_encodable(text))
    # The check is one scan; the repair is much slower. It works line by line, since one damaged paragraph says nothing
    # about the next.
    if not text.isascii() and is_bad(text):
        text = "\n".join(map(ftfy.fix_encoding, text.split("\n")))
    return _LINE_END.sub("\n", _CONTROL_C1.sub("", text)).strip()
