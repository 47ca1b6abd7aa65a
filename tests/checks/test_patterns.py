"""What the kinds of a thought's paragraphs say about it."""

from __future__ import annotations

import pytest

from programs.checks.patterns import PATTERNS, complexity_level, reasoning_patterns


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
    ("kinds", "words", "level"),
    [
        (list(PATTERNS), 300, "high"),
        (list(PATTERNS), 299, "medium"),
        (list(PATTERNS), 99, "low"),
        (["tries", "computes", "settles"], 900, "medium"),
        (["tries", "tries", "settles"], 900, "low"),
        ([], 900, "low"),
    ],
)
def test_what_is_involved_has_many_patterns_and_words(kinds: list[str], words: int, level: str) -> None:
    assert complexity_level(kinds, words) == level
