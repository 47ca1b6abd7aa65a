"""A thought as text: the `<thought>` element that holds it, and what the kinds of its paragraphs stand for."""

import re
from collections.abc import Sequence
from typing import Literal

OPEN, CLOSE = "<thought>", "</thought>"
PATTERNS = {
    "tries": "hypothesis_generation",
    "recalls": "knowledge_recall",
    "computes": "quantitative_reasoning",
    "checks": "evidence_evaluation",
    "doubts": "uncertainty_acknowledgement",
    "takes_back": "self_correction",
    "considers": "alternative_consideration",
    "wonders": "uncertainty_acknowledgement",
    "settles": "synthesis",
}
"""The published name of what a paragraph of a kind does. The kind `wrong` has none: to err is no way of reasoning."""

THOUGHT_TAG = re.compile(r"<(/?(?:think|thinking|thoughts?)(?:\s[^<>]{0,80})?/?)>", re.IGNORECASE)
_ELEMENT = re.compile(r"\s*<thought>(.*)</thought>\s*", re.DOTALL)


def escape_thought_tags(text: str) -> str:
    """`text` with `<think>`, `</thought>` and the like written as `&lt;think&gt;`. Idempotent."""
    return THOUGHT_TAG.sub(r"&lt;\1&gt;", text)


def wrap_thought(paragraphs: Sequence[str]) -> str:
    """One thought element: the paragraphs, stripped, a blank line between them; blank ones are left out. Thought and think
    tags inside are escaped. Raises ValueError when nothing is left: an empty thought is not content."""
    body = "\n\n".join(stripped for paragraph in paragraphs if (stripped := paragraph.strip()))
    if not body:
        raise ValueError("a thought needs at least one paragraph that is not blank")
    return f"{OPEN}\n{escape_thought_tags(body)}\n{CLOSE}"


def bare_thought(text: str) -> str:
    """What stands inside the one thought element that `text` is, stripped, with escaped tags still escaped; all of the
    text, stripped, where it is not exactly one. wrap_thought([bare_thought(w)]) == w for all w that wrap_thought made."""
    match = _ELEMENT.fullmatch(text)
    alone = match is not None and OPEN not in match[1] and CLOSE not in match[1]
    return (match[1] if match and alone else text).strip()


def reasoning_patterns(kinds: Sequence[str | None]) -> list[str]:
    """The patterns of a thought whose paragraphs are of these kinds, each once, in the order in which they come first."""
    return list(dict.fromkeys(PATTERNS[kind] for kind in kinds if kind in PATTERNS))


def complexity_level(words: int) -> Literal["low", "medium", "high"]:
    """By the words of a thought: high from 300 on, medium from 120 on, else low."""
    return "high" if words >= 300 else "medium" if words >= 120 else "low"
