"""The same question in other words is dropped; another number, quantity or a "not" makes another question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.near_duplicates import drop_near_duplicates, similarity

SAME = [
    ("Why do galaxies rotate?", "Explain why a galaxy rotates."),
    ("What limits the precision of the Hubble constant?", "what limits the precision of the Hubble constant"),
    ("Why does gas cool in clusters?", "In clusters, why does gas cool?"),
    ("How does dust bias the B-mode spectrum?", "How does the dust bias B-mode spectra of the spectrum?"),
    (
        "Why do spiral galaxies have flat rotation curves at large radii?",
        "Why do galaxies have flat rotation curves at large radii?",
    ),
    ("How many of the 2,000 skies exceed it?", "How many of the 2000 skies exceed it?"),
    ("Why doesn't the halo collapse?", "Why does the halo not collapse?"),
]
DIFFERENT = [
    ("What is the mass of the black hole in M87?", "What is the spin of the black hole in M87?"),
    ("How does gas at z=2 cool in halos?", "How does gas at z=3 cool in halos?"),
    ("Why does the halo of the cluster collapse?", "Why does the halo of the cluster not collapse?"),
    ("Why is the amplitude higher in the masked map?", "Why is the amplitude lower in the masked map?"),
    ("What is dark matter?", "What is dark energy?"),
    ("What is dark matter?", "What is dark matter made of in particle terms?"),
    ("What happens before recombination in the plasma?", "What happens after recombination in the plasma?"),
    ("Which maximum temperature does the gas reach?", "Which minimum temperature does the gas reach?"),
    ("How is the mean redshift of the sample found?", "How is the median redshift of the sample found?"),
    ("Can the fit work with a mask of the plane?", "Can the fit work without a mask of the plane?"),
    ("What is the value at 95 GHz?", "What is the value?"),
    ("Why are there two peaks in the spectrum?", "Why are there three peaks in the spectrum?"),
]
QUESTIONS = st.sampled_from([q for pair in SAME + DIFFERENT for q in pair] + ["", "Why?", "???"])


@pytest.mark.parametrize(("a", "b"), SAME)
def test_same(a: str, b: str) -> None:
    assert similarity(a, b) >= 85


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different(a: str, b: str) -> None:
    assert similarity(a, b) < 85


@given(QUESTIONS, QUESTIONS)
def test_similarity_is_symmetric_bounded_and_full_for_itself(a: str, b: str) -> None:
    assert 0 <= similarity(a, b) == similarity(b, a) <= 100
    assert similarity(a, a) == 100


@given(st.lists(QUESTIONS, max_size=12))
def test_every_text_is_kept_or_dropped_for_an_earlier_kept_one(texts: list[str]) -> None:
    kept, dropped = drop_near_duplicates(texts)
    assert sorted(kept + [d.dropped for d in dropped]) == list(range(len(texts)))
    assert kept == sorted(kept)
    assert all(d.kept in kept and d.kept < d.dropped and d.similarity >= 85 for d in dropped)
    assert drop_near_duplicates([texts[i] for i in kept]) == (list(range(len(kept))), [])


def test_the_earlier_wins() -> None:
    kept, dropped = drop_near_duplicates([SAME[0][0], DIFFERENT[0][0], SAME[0][1]])
    assert kept == [0, 1]
    [(index, of_index, score)] = dropped
    assert (index, of_index) == (2, 0)
    assert score >= 85
