"""What gives a benchmark's question away, by rule.

1. Grams see through case, punctuation, typography and line ends, and through nothing else.
2. A text shares a gram with another just when it shares so many words in a row.
3. A benchmark's question is found in whatever form benchmarks have it.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.copying import GRAM, benchmark_grams, grams, questions_in, words_of

LONG = (
    "Which of two identical clocks, one on a mountain and one in a valley, runs slower according to general relativity?"
)


def test_words_have_no_case_and_no_punctuation() -> None:
    assert words_of("The Sun’s “light”,\nre-emitted: ﬁve x10!") == [
        "the",
        "suns",
        "light",
        "re",
        "emitted",
        "five",
        "x10",
    ]


def test_a_gram_is_so_many_words_in_a_row() -> None:
    assert len(words_of(LONG)) == 20
    assert len(list(grams(LONG))) == 20 - GRAM + 1
    assert list(grams(LONG.upper().replace(",", " --\n"))) == list(grams(LONG))
    assert not set(grams(LONG)) & set(grams(LONG.replace("mountain", "tower").replace("runs", "goes")))


words = st.lists(st.sampled_from("abcdefghij"), min_size=0, max_size=40)


@given(words, words, st.integers(1, 5))
def test_texts_share_a_gram_just_when_they_share_the_words(one: list[str], other: list[str], length: int) -> None:
    runs = [{tuple(text[n : n + length]) for n in range(len(text) - length + 1)} for text in (one, other)]
    found = set(grams(" ".join(one), [length])) & set(grams(" ".join(other), [length]))
    assert len(found) == len(runs[0] & runs[1])


@pytest.mark.parametrize(
    ("count", "length", "grams_of_it"), [(7, 7, 0), (8, 8, 1), (12, 12, 1), (13, 13, 1), (15, 13, 3)]
)
def test_a_short_question_is_one_gram_of_its_own_length(count: int, length: int, grams_of_it: int) -> None:
    found = benchmark_grams(" ".join(f"w{n}" for n in range(count)))
    assert (found[0], len(found[1])) == (length, grams_of_it)


@pytest.mark.parametrize(
    ("record", "question"),
    [
        ({"question": "Why?", "text": "A long passage."}, "Why?"),
        ({"text": "Why?", "answer": "So."}, "Why?"),
        ({"Question": {"stem": "Why?", "choices": []}}, "Why?"),
        ({"question_stem": "Why?"}, "Why?"),
        ({"question": "", "prompt": "Why?"}, "Why?"),
        ({"question": 7, "problem": "Why?"}, "Why?"),
        ({"prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]}, "Why?"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}]}, "Why?"),
        ({"messages": [{"role": "assistant", "content": "Why?"}]}, None),
        ({"answer": "So."}, None),
        ({"question": "???"}, None),
        ({}, None),
    ],
)
def test_a_question_is_found_in_its_field(record: dict[str, Any], question: str | None) -> None:
    assert questions_in(record) == ([] if question is None else [question])


@pytest.mark.parametrize("frame", ["instruction", "Prompt"])
def test_a_frame_and_its_input_both_count(frame: str) -> None:
    assert questions_in({frame: "Answer the question.", "input": "Why?"}) == ["Answer the question.", "Why?"]
    assert questions_in({frame: "Why?", "input": ""}) == ["Why?"]
    assert questions_in({frame: "", "input": "Why?"}) == ["Why?"]
    assert questions_in({"question": "Why?", frame: "Answer the question.", "input": "A text."}) == ["Why?"]
