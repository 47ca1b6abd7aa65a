"""Invariants of `programs.text.copying`.

1. A text made of the source's own words in a row is copied whole, whatever its case and punctuation; one that shares no
   run of twelve words with it is not copied at all.
2. The share is that of the words in such runs, between 0 and 1.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from programs.text.copying import RUN, copied_share

SOURCE = " ".join(f"word{number}" for number in range(60))


@given(st.integers(0, 60 - RUN), st.integers(RUN, 40))
def test_1_a_run_is_copied(start: int, length: int) -> None:
    run = SOURCE.split()[start : start + length]
    assert copied_share(", ".join(run).upper(), SOURCE) == 1.0


@given(st.lists(st.sampled_from(SOURCE.split()), max_size=RUN - 1))
def test_1_shorter_runs_are_not(words: list[str]) -> None:
    assert copied_share(" ".join(words), SOURCE) == 0.0


@given(st.integers(0, 30), st.integers(1, 30))
def test_2_it_is_the_share_of_the_words(own: int, more: int) -> None:
    copied = SOURCE.split()[: RUN + more]
    text = " ".join([*copied, *(f"mine{number}" for number in range(own))])
    assert copied_share(text, SOURCE) == len(copied) / (len(copied) + own)


def test_2_nothing_is_not_copied() -> None:
    assert copied_share("", SOURCE) == 0.0
    assert copied_share("word1 word2", "") == 0.0
