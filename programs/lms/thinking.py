"""A model's own reasoning, where it writes it before its answer."""

from __future__ import annotations

import re

_NAME = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|scratchpad)"
_OPEN = rf"(?:<{_NAME}>|\[{_NAME}\])"
_CLOSE = rf"(?:</{_NAME}>|\[/{_NAME}\])"
_THINKING = re.compile(rf"\A\s*{_OPEN}?(.*?){_CLOSE}\s*", re.DOTALL | re.IGNORECASE)
_OPEN_THINKING = re.compile(rf"\A\s*{_OPEN}", re.IGNORECASE)
# A model that speaks in channels (harmony): the last one said is the answer, unless it is one of thought.
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w*)[^<]*<\|message\|>(.*?)(?=<\|(?:end|start|return|call|channel)\|>|\Z)", re.DOTALL
)
_THOUGHT_CHANNELS = ("analysis", "commentary")


def encodable(text: str) -> str:
    """`text` with surrogates paired or replaced: JSON may escape half a character, which no file can hold."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def split_thinking(content: str) -> tuple[str, str]:
    """(thought, text) of an answer whose thought is written before it, in tags (`<think>`, `[THINK]`, `<thought>`) or
    channels.

    Some chat templates put the opening tag into the prompt, so that an answer may begin inside it. A thought
    without an end leaves no text. Tags inside a JSON answer are text.
    """
    if content.lstrip().startswith("<|channel|>"):
        return _by_channel(content)
    if content.lstrip().startswith(("{", "[")) and not _OPEN_THINKING.match(content):
        return "", content
    found = _THINKING.match(content)
    if found:
        return found.group(1).strip(), content[found.end() :]
    if _OPEN_THINKING.match(content):
        return _OPEN_THINKING.sub("", content).strip(), ""
    return "", content


def _by_channel(content: str) -> tuple[str, str]:
    said = _CHANNEL.findall(content)
    thought = "\n".join(text.strip() for channel, text in said if channel in _THOUGHT_CHANNELS)
    answers = [text.strip() for channel, text in said if channel not in _THOUGHT_CHANNELS]
    return thought, answers[-1] if answers else ""
