"""Invariants of shapes.

1. A shape is fixed by text, question type, level, variation and seed; more variations change none of the earlier ones.
2. Variations of one question have different shapes; no shape has a weight of 0 for the type it is drawn for.
3. Over many questions no shape has more than a quarter, and no voice more than half; a wrong turn is due in 10 to 30
   of 100, more often where it is harder.
4. No thought is longer than its problem, and a short thought has no mistake.
5. Thoughts of every number of words are asked for, from the shortest to the longest.
"""

from collections import Counter
from typing import get_args

import pytest

from programs.stages.thought import shape_of
from signatures.question_type import QUESTION_TYPES, Difficulty
from signatures.shape import CLOSES, LENGTHS, SHAPES, VOICES, Shape
from signatures.vocabulary import Depth

LEVELS: tuple[Difficulty, ...] = get_args(Difficulty)
DEPTHS: tuple[Depth, ...] = get_args(Depth)


def shapes(kind: str, level: Difficulty, depth: Depth | None = None, texts: int = 400) -> list[Shape]:
    """Without a depth each has its turn."""
    return [shape_of(f"text{at}", kind, level, depth or DEPTHS[at % 3], 0, 0) for at in range(texts)]


def test_a_shape_is_fixed_by_what_it_is_drawn_from() -> None:
    drawn = [shape_of("a", "critical", "advanced", "moderate", variation, 3) for variation in range(8)]
    again = [shape_of("a", "critical", "advanced", "moderate", variation, 3) for variation in range(3)]
    assert drawn[:3] == again
    others = [shape_of("a", "critical", "advanced", "moderate", variation, 4) for variation in range(8)]
    assert drawn != others


@pytest.mark.parametrize("kind", QUESTION_TYPES)
def test_variations_of_a_question_have_different_shapes(kind: str) -> None:
    drawn = [shape_of("a", kind, "intermediate", "brief", variation, 0).name for variation in range(10)]
    assert len(set(drawn)) == 10
    assert all(SHAPES[name].weights.get(kind) != 0 for name in drawn)


def test_shapes_are_spread_and_wrong_turns_are_the_exception() -> None:
    drawn = [shape for kind in QUESTION_TYPES for level in LEVELS for shape in shapes(kind, level)]
    counts = Counter(shape.name for shape in drawn)
    assert len(counts) == len(SHAPES) >= 10
    assert max(counts.values()) / len(drawn) < 0.25
    assert 0.05 < sum(shape.noticed is not None for shape in drawn) / len(drawn) < 0.20
    rates = [sum(shape.noticed is not None for shape in shapes("critical", level, texts=2000)) for level in LEVELS]
    assert rates == sorted(rates)
    assert len(set(rates)) == 3
    assert {shape.length for shape in drawn} == set(LENGTHS)
    assert {shape.length for shape in drawn if shape.name == "straight through"} == {"short", "middling"}
    assert {shape.noticed for shape in drawn if shape.length == "short"} == {None}
    assert {shape.voice for shape in drawn} == set(VOICES)
    assert {shape.close for shape in drawn} == set(CLOSES)
    assert max(Counter(shape.voice for shape in drawn).values()) / len(drawn) < 0.5


def test_a_thought_is_as_long_as_its_answer_is_deep() -> None:
    words = [sum(shape.words or 0 for shape in shapes("critical", "intermediate", depth)) for depth in DEPTHS]
    assert 1.3 * words[0] < words[1] < words[2] / 1.3
    assert "long" not in {shape.length for shape in shapes("critical", "advanced", "brief")}


def test_no_number_of_words_is_usual() -> None:
    drawn = [shape for level in LEVELS for shape in shapes("critical", level)]
    assert all(LENGTHS[one.length].fewest - 5 <= (one.words or 0) <= LENGTHS[one.length].most + 5 for one in drawn)
    words = Counter(shape.words for shape in drawn)
    assert len(words) > 40
    assert max(words.values()) < len(drawn) / 10
    assert f"about {drawn[0].words} words" in drawn[0].prompt_text
    assert "90 to 160 words" in Shape(name="backwards", noticed=None, length="short").prompt_text
