"""The patterns of reasoning that the kinds of a thought's paragraphs stand for, and how involved the thought is."""

from collections.abc import Sequence
from typing import Literal

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


def reasoning_patterns(kinds: Sequence[str | None]) -> list[str]:
    """The patterns of a thought whose paragraphs are of these kinds, each once, in the order in which they come first."""
    return list(dict.fromkeys(PATTERNS[kind] for kind in kinds if kind in PATTERNS))


def complexity_level(words: int) -> Literal["low", "medium", "high"]:
    """By the words of a thought: high from 300 on, medium from 120 on, else low."""
    return "high" if words >= 300 else "medium" if words >= 120 else "low"
