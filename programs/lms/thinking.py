"""A model's own reasoning, where it writes it before its answer."""

from __future__ import annotations

import re

_THINKING = re.compile(r"\A\s*(?:<think(?:ing)?>)?(.*?)</think(?:ing)?>\s*", re.DOTALL)
_OPEN_THINKING = re.compile(r"\A\s*<think(?:ing)?>")


def encodable(text: str) -> str:
    """`text` with surrogates paired or replaced: JSON may escape half a character, which no file can hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def split_thinking(content: str) -> tuple[str, str]:
    """(thought, text) of an answer whose thought is written before it, in `<think>` tags.

    Some chat templates put the opening tag into the prompt, so that an answer may begin inside it. A thought
    without an end leaves no text. Tags inside a JSON answer are text.
    """
    if content.lstrip().startswith(("{", "[")):
        return "", content
    found = _THINKING.match(content)
    if found:
        return found.group(1).strip(), content[found.end() :]
    if _OPEN_THINKING.match(content):
        return _OPEN_THINKING.sub("", content).strip(), ""
    return "", content
