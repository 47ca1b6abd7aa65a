"""Invariants of the shapes that are drawn for thoughts.

1. Text, question type, depth, variation and seed fix a shape. More variations change none of the earlier ones.
2. Variations of one question have different shapes, none of which has a weight of 0 for the type of the question.
3. Over many questions, no shape has a share above a quarter and no voice one above a half.
4. Deeper answers have longer thoughts, and brief answers no long ones.
5. The requested numbers of words vary from the shortest to the longest.
"""

from collections import Counter
from typing import get_args

import pytest

from programs.stages.thought import shape_of
from signatures.question_type import QUESTION_TYPES
from signatures.shape import CLOSES, LENGTHS, SHAPES, VOICES, Shape
from signatures.vocabulary import Depth

DEPTHS: tuple[Depth, ...] = get_args(Depth)


def shapes(kind: str, depth: Depth | None = None, texts: int = 400) -> list[Shape]:
    """Without a depth, all three take turns."""
    return [shape_of(f"text{number}", kind, depth or DEPTHS[number % 3], 0, 0) for number in range(texts)]


def test_a_shape_depends_on_its_arguments_alone() -> None:
    drawn = [shape_of("a", "critical", "moderate", variation, 3) for variation in range(8)]
    again = [shape_of("a", "critical", "moderate", variation, 3) for variation in range(3)]
    assert drawn[:3] == again
    others = [shape_of("a", "critical", "moderate", variation, 4) for variation in range(8)]
    assert drawn != others


@pytest.mark.parametrize("kind", QUESTION_TYPES)
def test_variations_of_a_question_have_different_shapes(kind: str) -> None:
    drawn = [shape_of("a", kind, "brief", variation, 0).name for variation in range(10)]
    assert len(set(drawn)) == 10
    assert all(SHAPES[name].weights.get(kind) != 0 for name in drawn)


def test_shapes_and_voices_are_spread() -> None:
    drawn = [shape for kind in QUESTION_TYPES for shape in shapes(kind)]
    counts = Counter(shape.name for shape in drawn)
    assert len(counts) == len(SHAPES) >= 10
    assert max(counts.values()) / len(drawn) < 0.25
    assert {shape.length for shape in drawn} == set(LENGTHS)
    assert {shape.length for shape in drawn if shape.name == "straight through"} == {"short", "middling"}
    assert {shape.voice for shape in drawn} == set(VOICES)
    assert {shape.close for shape in drawn} == set(CLOSES)
    assert max(Counter(shape.voice for shape in drawn).values()) / len(drawn) < 0.5


def test_deeper_answers_have_longer_thoughts() -> None:
    words = [sum(shape.words or 0 for shape in shapes("critical", depth)) for depth in DEPTHS]
    assert 1.3 * words[0] < words[1] < words[2] / 1.3
    assert "long" not in {shape.length for shape in shapes("critical", "brief")}


def test_requested_numbers_of_words_vary() -> None:
    drawn = shapes("critical", texts=1200)
    assert all(LENGTHS[each.length].fewest - 5 <= (each.words or 0) <= LENGTHS[each.length].most + 5 for each in drawn)
    words = Counter(shape.words for shape in drawn)
    assert len(words) > 40
    assert max(words.values()) < len(drawn) / 10
    assert f"at most {drawn[0].words} words" in drawn[0].prompt_text
    assert "110 to 190 words" in Shape(name="backwards", length="short").prompt_text
