"""What the kinds of a thought's paragraphs say about it."""

from __future__ import annotations

import pytest

from programs.text.patterns import complexity_level, reasoning_patterns


def test_patterns_come_once_in_the_order_of_the_thought() -> None:
    kinds = ["computes", "wrong", "takes_back", "computes", "doubts", "wonders", "settles"]
    assert reasoning_patterns(kinds) == [
        "quantitative_reasoning",
        "self_correction",
        "uncertainty_acknowledgement",
        "synthesis",
    ]


def test_a_kind_that_is_not_known_and_a_mistake_are_no_patterns() -> None:
    assert reasoning_patterns(["wrong", "opening"]) == []


@pytest.mark.parametrize(
    ("words", "level"), [(0, "low"), (119, "low"), (120, "medium"), (299, "medium"), (300, "high")]
)
def test_what_is_involved_takes_words(words: int, level: str) -> None:
    assert complexity_level(words) == level
