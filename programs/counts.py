"""Counts by name, at a memory that does not grow with the names."""

from collections import Counter

OTHERS = "others"
"""What the names are counted as that are too many."""


def count_name(counts: Counter[str], name: str, most: int) -> None:
    """Counts a name. Beyond `most` different ones, those that are new are counted together."""
    counts[name if name in counts or len(counts) < most else OTHERS] += 1
