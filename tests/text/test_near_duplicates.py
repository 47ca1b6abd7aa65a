"""A reworded question is a near-duplicate; another number or quantity, or a "not", makes it a different question."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.near_duplicates import BANDS, MIN_SHARED, features, lsh_bands, similarity

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
    ("Why do few galaxies form stars in this halo?", "Why do all galaxies form stars in this halo?"),
    ("What happens to the flux during the eclipse?", "What happens to the flux until the eclipse?"),
]
QUESTIONS = st.sampled_from([q for pair in SAME + DIFFERENT for q in pair] + ["", "Why?", "???"])


@pytest.mark.parametrize(("a", "b"), [*SAME, *DIFFERENT])
def test_rewording_makes_no_different_question(a: str, b: str) -> None:
    assert (similarity(a, b) >= 85) is ((a, b) in SAME)


@given(QUESTIONS, QUESTIONS)
def test_similarity_is_symmetric_bounded_and_100_for_equal_texts(a: str, b: str) -> None:
    assert 0 <= similarity(a, b) == similarity(b, a) <= 100
    assert similarity(a, a) == 100


WORDS = [f"{first}{second}{third}" for first in "bdfgklmnprt" for second in "aeiou" for third in "bdfgklmnprt"]


def share_found(common: int, apart: int, pairs: int = 150) -> float:
    """The share of random pairs of texts, with `common` shared words and `apart` different ones each, that share bands."""
    draw = random.Random(f"{common}/{apart}")
    found = 0
    for _ in range(pairs):
        words = draw.sample(WORDS, common + 2 * apart)
        first, second = " ".join(words[: common + apart]), " ".join([*words[common + apart :], *words[:common]])
        found += len(set(lsh_bands(first)) & set(lsh_bands(second))) >= MIN_SHARED
    return found / pairs


def test_the_bands_of_a_text_do_not_change() -> None:
    """Stored bands must stay valid: a change of datasketch or of the permutations fails here."""
    assert lsh_bands("Why do galaxies rotate?")[:2] == (-3302258169863370991, 8209870679834343411)


def test_similar_texts_share_bands_and_others_do_not() -> None:
    assert share_found(common=18, apart=1) == 1.0  # a Jaccard similarity of 0.9
    assert share_found(common=16, apart=2) >= 0.99  # 0.8
    assert 0.85 <= share_found(common=14, apart=3) < 1.0  # 0.7
    assert share_found(common=4, apart=8) == 0.0  # 0.2


@given(st.text(max_size=80))
def test_a_text_has_all_its_bands_or_none(text: str) -> None:
    found = lsh_bands(text)
    assert len(found) == (BANDS if features(text) else 0)
    assert len(set(found)) == len(found)
    assert all(-(2**63) <= band < 2**63 for band in found)
