"""Prose that stops in the middle of a sentence, in a reply whose JSON is whole."""

import re
from collections.abc import Mapping
from typing import Any

from programs.asking.json_schema import Schema

_LONGEST_NOTE = 400
"""What may be longer is prose; of what may not, only a text of several sentences is."""

_FEWEST_WORDS = 5
_LONGEST_WORD = 50

_SEVERAL_SENTENCES = re.compile(r"[.!?][\"'”’)\]]*\s+[A-Z]")
# No command and no index of a formula.
_WORD_OR_LINK = re.compile(r"(?<![\\\w])[^\W\d_]+\Z|[,;:([{=+<&/–—-]\Z")
_LIST_ITEM = re.compile(r"(?:[-*•]|\d+[.)])\s")


def unfinished_field(value: Any, schema: Schema, name: str = "") -> str | None:
    """The name of the field that stops in the middle: only what a reply ends with can have been cut. `value` is in the
    order in which it was written."""
    if isinstance(value, Mapping) and value:
        last = list(value)[-1]
        return unfinished_field(value[last], schema["properties"][last], f"{name}.{last}".lstrip("."))
    if isinstance(value, list) and value:
        return unfinished_field(value[-1], schema["items"], f"{name}.{len(value) - 1}")
    return name if isinstance(value, str) and stops_midway(value) and _is_prose(value, schema) else None


def _is_prose(text: str, schema: Schema) -> bool:
    if schema.get("type") != "string" or "enum" in schema or "const" in schema:
        return False
    if len(text.split()) < _FEWEST_WORDS:
        return False
    return schema.get("maxLength", _LONGEST_NOTE + 1) > _LONGEST_NOTE or bool(_SEVERAL_SENTENCES.search(text))


def stops_midway(text: str) -> bool:
    """Whether prose ends with a word or with a sign that something follows. Formulas, numbers and lists may end without
    a full stop, and writing without upper and lower case has other ones."""
    text = text.rstrip()
    end = _WORD_OR_LINK.search(text, max(0, len(text) - _LONGEST_WORD))
    if end is None or _LIST_ITEM.match(text.rpartition("\n")[2].lstrip()):
        return False
    word = end.group()
    symbol = len(word) == 1 and word.isalpha() and word not in "aAI"
    return not symbol and (not word.isalpha() or word.lower() != word.upper())
