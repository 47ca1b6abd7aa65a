"""Invariants of `programs.text.copying`.

1. Eight words in a row that a demonstration has and nothing else in the prompt are taken from it, wherever they stand in
   either, whatever their case and punctuation; fewer are not, nor are words that are mostly grammar and numbers.
2. What an input, the instruction or a field's description says too is not taken from a demonstration. A demonstration's
   passage, and what is no field, are shown nowhere; one for the same question is no other one's.
3. A stretch is named once, three of them at most, each with its first words. Without demonstrations nothing is taken.
4. Marks belong to their letters, however these are written.
5. The share of a text that is copied is that of its words in runs of twelve or more that the source has too.
6. Benchmarks: grams see through case, punctuation and typography alone; texts share one just when they share so many words
   in a row; a question is found in whatever form benchmarks have it.
"""

import unicodedata
from typing import Any

import dspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.exports.benchmarks import benchmark_grams, grams, questions_in
from programs.text.copying import BORROWED_RUN, COPIED_RUN, LONGEST_NAMED, borrowed, copied_share
from signatures.strands import CritiqueMethod
from signatures.thought import WriteThought
from tests.text.tables import texts

SHOWN = [f"word{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(60)]
DEMO = {"question": "What is it?", "thought": {"paragraphs": [" ".join(SHOWN), "It is none."]}}


def reasons(text: Any, demos: list[dict[str, Any]] | None = None, **inputs: Any) -> list[str]:
    predict = dspy.Predict(WriteThought)
    predict.demos = [DEMO] if demos is None else demos
    return borrowed(text, predict, inputs)


@given(st.integers(0, 60 - BORROWED_RUN), st.integers(BORROWED_RUN, 40))
def test_1_a_run_is_taken(start: int, length: int) -> None:
    run = SHOWN[start : start + length]
    (why,) = reasons(f"I think, {', '.join(run).upper()}: so it is.")
    assert f'"{" ".join(run[:LONGEST_NAMED])}{" ..." if len(run) > LONGEST_NAMED else ""}"' in why


def test_1_grammar_and_numbers_are_nobodys() -> None:
    for text in texts("""
        What is the most likely explanation for the | The line flux is 5 x 10^-15 erg s^-1 cm^-2 here |
        H0 = 67.4 ± 0.5 km s^-1 Mpc^-1 at 68 percent | and so it is, as we have been able to do
    """):
        assert reasons(text, [{"thought": {"doubt": text}}]) == []


@given(st.integers(0, 60 - BORROWED_RUN), st.integers(1, BORROWED_RUN - 1))
def test_1_fewer_words_are_not(start: int, length: int) -> None:
    few, rest = SHOWN[start : start + length], SHOWN[start + length : start + BORROWED_RUN]
    assert reasons(" ".join(few)) == []
    assert reasons([" ".join(few), " ".join(rest)]) == [], "a run does not go from one text into the next"


def test_2_what_an_input_says_is_its_own() -> None:
    run = " ".join(SHOWN[10:20])
    assert reasons(run, passage=f"[1] We saw {run}.") == []
    (why,) = reasons(f"{run} {SHOWN[20]}", analysis={"notes": [run]})
    assert why == f'takes "{" ".join(SHOWN[13:21])}" from an example, which is about another passage'


def test_2_what_the_instruction_and_the_fields_say_is_not_taken() -> None:
    """A model may do as it is told, in the same words as an example that did so."""
    told = "sees that something may not hold; wrong: is mistaken and does not know it yet"
    assert reasons(told, [{"thought": {"doubt": told}}]) == []
    asked = "Judge how far the method behind the result can be trusted for this question."
    predict = dspy.Predict(CritiqueMethod)
    predict.demos = [{"critique": {"alternative": asked}}]
    assert borrowed(asked, predict, {}) == []
    predict.signature = predict.signature.with_instructions("Judge it.")
    assert len(borrowed(asked, predict, {})) == 1


def test_2_what_no_prompt_shows_and_what_is_of_the_same_question_is_not_taken() -> None:
    text = " ".join(SHOWN)
    assert reasons(text, [{"passage": text, "question": "What is it?"}]) == []
    assert reasons(text, [{"notes": text}]) == reasons(text, []) == []
    assert reasons(text, question="What is it?") == []
    assert len(reasons(text, question="What is it, then?")) == 1


def test_4_marks_belong_to_their_letters() -> None:
    four = "महत्वपूर्ण भूमिका निभाते हैं"
    eight = f"{four} और वैज्ञानिक अध्ययन स्पष्ट"
    assert reasons(four, [{"thought": {"doubt": four}}]) == []
    assert len(reasons(eight, [{"thought": {"doubt": eight}}])) == 1
    words = "déjà naïve café résumé façade élève crème brûlée"
    assert len(reasons(unicodedata.normalize("NFD", words), [{"thought": {"doubt": words}}])) == 1


SOURCE = " ".join(f"word{number}" for number in range(60))


@given(st.integers(0, 60 - COPIED_RUN), st.integers(COPIED_RUN, 40))
def test_5_a_run_is_copied(start: int, length: int) -> None:
    run = SOURCE.split()[start : start + length]
    assert copied_share(", ".join(run).upper(), SOURCE) == 1.0


@given(st.integers(0, 30), st.integers(1, 30))
def test_5_it_is_the_share_of_the_words(own: int, more: int) -> None:
    copied = SOURCE.split()[: COPIED_RUN + more]
    text = " ".join([*copied, *(f"mine{number}" for number in range(own))])
    assert copied_share(text, SOURCE) == len(copied) / (len(copied) + own)


words = st.lists(st.sampled_from("abcdefghij"), min_size=0, max_size=40)


@given(words, words, st.integers(1, 5))
def test_6_texts_share_a_gram_just_when_they_share_the_words(one: list[str], other: list[str], length: int) -> None:
    runs = [{tuple(text[n : n + length]) for n in range(len(text) - length + 1)} for text in (one, other)]
    found = set(grams(" ".join(one), [length])) & set(grams(" ".join(other), [length]))
    assert len(found) == len(runs[0] & runs[1])


@pytest.mark.parametrize(("count", "length", "grams_of_it"), [(7, 7, 0), (8, 8, 1), (13, 13, 1), (15, 13, 3)])
def test_6_a_short_question_is_one_gram_of_its_own_length(count: int, length: int, grams_of_it: int) -> None:
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
    ],
)
def test_6_a_question_is_found_in_its_field(record: dict[str, Any], question: str | None) -> None:
    assert questions_in(record) == ([] if question is None else [question])
