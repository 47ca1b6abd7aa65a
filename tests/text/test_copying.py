"""Invariants of `programs.text.copying`.

1. Eight words in a row are taken from a demonstration if nothing else in the prompt has them, wherever they are, whatever
   their case and punctuation. Fewer words are not, nor are words that are mostly grammar and numbers.
2. Words that an input, the instruction or a field's description has are not taken from a demonstration. Nothing is taken
   from its passage or a key that is no field, which prompts do not show, or from one for the same question.
3. Each stretch is named once by its first words, and at most three are. Without demonstrations nothing is taken.
4. Combining marks belong to their letters, in any Unicode normalization.
5. The copied share of a text is the share of its words in runs of twelve or more that the source has too.
"""

import unicodedata
from typing import Any

import dspy
from hypothesis import given
from hypothesis import strategies as st

from programs.text.copying import BORROWED_RUN, COPIED_RUN, MAX_REPORTED_WORDS, borrowing_problems, copied_share
from signatures.strands import CritiqueMethod
from signatures.thought import WriteThought
from tests.text.tables import texts

SHOWN = [f"word{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(60)]
DEMO = {"question": "What is it?", "thought": {"paragraphs": [" ".join(SHOWN), "It is none."]}}


def problems(text: Any, demos: list[dict[str, Any]] | None = None, **inputs: Any) -> list[str]:
    predict = dspy.Predict(WriteThought)
    predict.demos = [DEMO] if demos is None else demos
    return borrowing_problems(text, predict, inputs)


@given(st.integers(0, 60 - BORROWED_RUN), st.integers(BORROWED_RUN, 40))
def test_1_a_run_of_words_is_named(start: int, length: int) -> None:
    run = SHOWN[start : start + length]
    (why,) = problems(f"I think, {', '.join(run).upper()}: so it is.")
    assert f'"{" ".join(run[:MAX_REPORTED_WORDS])}{" ..." if len(run) > MAX_REPORTED_WORDS else ""}"' in why


def test_1_grammar_and_numbers_are_not_taken() -> None:
    for text in texts("""
        What is the most likely explanation for the | The line flux is 5 x 10^-15 erg s^-1 cm^-2 here |
        H0 = 67.4 ± 0.5 km s^-1 Mpc^-1 at 68 percent | and so it is, as we have been able to do
    """):
        assert problems(text, [{"thought": {"doubt": text}}]) == []


@given(st.integers(0, 60 - BORROWED_RUN), st.integers(1, BORROWED_RUN - 1))
def test_1_fewer_words_are_not_taken(start: int, length: int) -> None:
    few, rest = SHOWN[start : start + length], SHOWN[start + length : start + BORROWED_RUN]
    assert problems(" ".join(few)) == []
    assert problems([" ".join(few), " ".join(rest)]) == [], "a run does not continue in the next text"


def test_2_words_of_an_input_are_not_taken() -> None:
    run = " ".join(SHOWN[10:20])
    assert problems(run, passage=f"[1] We saw {run}.") == []
    (why,) = problems(f"{run} {SHOWN[20]}", analysis={"notes": [run]})
    assert why == f'takes "{" ".join(SHOWN[13:21])}" from an example, which is about another passage'


def test_2_words_of_the_instruction_and_the_descriptions_are_not_taken() -> None:
    """A model may use the words of its instruction, even if an example used them too."""
    told = "sees that something may not hold; wrong: is mistaken and does not know it yet"
    assert problems(told, [{"thought": {"doubt": told}}]) == []
    asked = "Judge how far the method behind the result can be trusted for this question."
    predict = dspy.Predict(CritiqueMethod)
    predict.demos = [{"critique": {"alternative": asked}}]
    assert borrowing_problems(asked, predict, {}) == []
    predict.signature = predict.signature.with_instructions("Judge it.")
    assert len(borrowing_problems(asked, predict, {})) == 1


def test_2_words_of_hidden_fields_or_of_the_same_question_are_not_taken() -> None:
    text = " ".join(SHOWN)
    assert problems(text, [{"passage": text, "question": "What is it?"}]) == []
    assert problems(text, [{"notes": text}]) == problems(text, []) == []
    assert problems(text, question="What is it?") == []
    assert len(problems(text, question="What is it, then?")) == 1


def test_4_combining_marks_belong_to_their_letters() -> None:
    four = "महत्वपूर्ण भूमिका निभाते हैं"
    eight = f"{four} और वैज्ञानिक अध्ययन स्पष्ट"
    assert problems(four, [{"thought": {"doubt": four}}]) == []
    assert len(problems(eight, [{"thought": {"doubt": eight}}])) == 1
    words = "déjà naïve café résumé façade élève crème brûlée"
    assert len(problems(unicodedata.normalize("NFD", words), [{"thought": {"doubt": words}}])) == 1


SOURCE = " ".join(f"word{number}" for number in range(60))


@given(st.integers(0, 60 - COPIED_RUN), st.integers(COPIED_RUN, 40))
def test_5_a_run_is_copied(start: int, length: int) -> None:
    run = SOURCE.split()[start : start + length]
    assert copied_share(", ".join(run).upper(), SOURCE) == 1.0


@given(st.integers(0, 30), st.integers(1, 30))
def test_5_the_share_is_that_of_the_words_in_runs(own: int, more: int) -> None:
    copied = SOURCE.split()[: COPIED_RUN + more]
    text = " ".join([*copied, *(f"mine{number}" for number in range(own))])
    assert copied_share(text, SOURCE) == len(copied) / (len(copied) + own)
