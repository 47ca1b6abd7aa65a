"""Repairs text without changing what it says. Pure functions."""

from __future__ import annotations

import re

import ftfy
from ftfy.badness import is_bad

# Page breaks, old Mac line ends and Unicode's own separators all end a line, but no other tool sees them do it.
_LINE_END = re.compile("\r\n|[\r\v\f\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff]")
# These stay for the repair, to which they are halves of mojibake or Windows punctuation; what it leaves means nothing.
_CONTROL_C1 = re.compile("[\x80-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with its damage mended: mojibake decoded, control characters removed, line ends made LF, ends stripped.

    Idempotent. The result encodes to UTF-8. Nothing else changes: quotes, ligatures, HTML entities, LaTeX and
    Greek are left as the author wrote them, because a quote from the passage is later looked up in it.
    """
    # What one repair uncovers can need another; each pass shortens the text or leaves fewer C1 characters, so it ends.
    while (mended := _clean_once(text)) != text:
        text = mended
    return text


def clean_line(text: str) -> str:
    """`clean`, on one line: every run of white space becomes a single space. Idempotent."""
    while (mended := " ".join(clean(text).split())) != text:
        text = mended
    return text


def replace_surrogates(text: str) -> str:
    """The text with split surrogate pairs joined and lone ones replaced by U+FFFD, so that it encodes to UTF-8."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _clean_once(text: str) -> str:
    text = _CONTROL.sub("", replace_surrogates(text))
    # The guard is one scan; the repair is much slower, and goes line by line since one damaged paragraph says nothing
    # about the next.
    if not text.isascii() and is_bad(text):
        text = "\n".join(map(ftfy.fix_encoding, text.split("\n")))
    return _LINE_END.sub("\n", _CONTROL_C1.sub("", text)).strip()
