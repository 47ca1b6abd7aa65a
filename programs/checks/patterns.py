"""What the kinds of a thought's paragraphs say about it: the patterns of reasoning in it, and how involved it is."""

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


def reasoning_patterns(kinds: Sequence[str]) -> list[str]:
    """The patterns of a thought whose paragraphs are of these kinds, each once, in the order in which they come first."""
    return list(dict.fromkeys(PATTERNS[kind] for kind in kinds if kind in PATTERNS))


def complexity_level(kinds: Sequence[str], words: int) -> Literal["low", "medium", "high"]:
    """high from 5 different patterns and 300 words on, medium from 3 and 100, else low."""
    patterns = len(reasoning_patterns(kinds))
    if patterns >= 5 and words >= 300:
        return "high"
    return "medium" if patterns >= 3 and words >= 100 else "low"
