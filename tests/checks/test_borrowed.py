"""Invariants of `programs.checks.borrowed`.

1. Eight words in a row that a demonstration has and no input has are taken from it, wherever they stand in either, whatever
   their case and punctuation; fewer are not.
2. What an input or the passage says too is not taken from a demonstration, and a demonstration's passage, which no prompt
   shows, counts for nothing.
3. A stretch is named once and whole, three of them at most. Without demonstrations nothing is taken.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from programs.checks.borrowed import MOST_NAMED, RUN, borrowed
from signatures.hypotheses import Hypothesis, HypothesisSet

SHOWN = [f"word{number}" for number in range(60)]
DEMO = {"question": "What is it?", "thought": {"opening": [" ".join(SHOWN)], "doubt": "It is none."}}


def reasons(text: Any, demos: list[dict[str, Any]] | None = None, **inputs: Any) -> list[str]:
    return borrowed(text, [DEMO] if demos is None else demos, inputs)


@given(st.integers(0, 60 - RUN), st.integers(RUN, 40))
def test_1_a_run_is_taken(start: int, length: int) -> None:
    run = SHOWN[start : start + length]
    (why,) = reasons(f"I think, {', '.join(run).upper()}: so it is.")
    assert f'"{" ".join(run)}"' in why


@given(st.integers(0, 60 - RUN), st.integers(1, RUN - 1))
def test_1_fewer_words_are_not(start: int, length: int) -> None:
    assert reasons(" ".join(SHOWN[start : start + length])) == []


def test_1_texts_stand_in_models_and_lists() -> None:
    own = Hypothesis(statement="Something else is the case here.", test="One would see it in the data.")
    taken = own.model_copy(update={"test": " ".join(SHOWN[3:13])})
    assert reasons(HypothesisSet(hypotheses=[own, own])) == []
    assert len(reasons(HypothesisSet(hypotheses=[own, taken]))) == 1


def test_1_a_run_does_not_go_from_one_text_into_the_next() -> None:
    assert reasons([" ".join(SHOWN[:5]), " ".join(SHOWN[5:10])]) == []


def test_2_what_an_input_says_is_its_own() -> None:
    run = " ".join(SHOWN[10:20])
    assert reasons(run, passage=f"[1] We saw {run}.") == []
    assert reasons(run, analysis={"notes": [run]}) == []
    assert reasons(f"{run} {SHOWN[20]}", analysis={"notes": [run]}) == [
        f'takes "{" ".join(SHOWN[13:21])}" from an example, which is about another passage'
    ]


def test_2_the_passage_of_a_demonstration_is_shown_nowhere() -> None:
    assert reasons(" ".join(SHOWN), [{"passage": " ".join(SHOWN), "question": "What is it?"}]) == []


def test_3_stretches_are_named_once_and_few() -> None:
    pieces = [" ".join(SHOWN[start : start + RUN]) for start in range(0, 50, 10)]
    said = reasons([*pieces, *pieces])
    assert len(said) == MOST_NAMED
    assert all(f'"{piece}"' in why for piece, why in zip(pieces, said, strict=False))
    assert reasons(f"{pieces[0]} and then {pieces[1]}") == said[:2]


def test_3_without_demonstrations_nothing_is_taken() -> None:
    assert reasons(" ".join(SHOWN), []) == []
