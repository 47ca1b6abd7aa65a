"""Bands of MinHash signatures.

1. They are the same in every run and on every machine, whatever the order of the words.
2. Texts with most content words in common share bands enough nearly always; texts with few hardly ever.
3. Every text with a word has all its bands; a text without one has none.
"""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from programs.text.minhash import BANDS, ROWS, SHARED, bands, features, jaccard

WORDS = [f"{first}{second}{third}" for first in "bdfgklmnprt" for second in "aeiou" for third in "bdfgklmnprt"]


def pair(dice: random.Random, common: int, apart: int) -> tuple[str, str]:
    """Two texts of made-up content words, with so many in common and so many apart."""
    words = dice.sample(WORDS, common + 2 * apart)
    shared, one, other = words[:common], words[common : common + apart], words[common + apart :]
    return " ".join([*shared, *one]), " ".join([*other, *shared])


def share_found(common: int, apart: int, pairs: int = 150) -> float:
    dice = random.Random(f"{common}/{apart}")
    found = 0
    for _ in range(pairs):
        one, other = pair(dice, common, apart)
        found += len(set(bands(one)) & set(bands(other))) >= SHARED
    return found / pairs


def test_the_bands_of_a_text_are_known() -> None:
    """What is stored must stand: another datasketch or other permutations would show here."""
    assert bands("Why do galaxies rotate?")[:2] == (-3302258169863370991, 8209870679834343411)


def test_wording_that_carries_nothing_changes_no_band() -> None:
    assert bands("Why do galaxies rotate?") == bands("Please explain why a galaxy rotates.")
    assert bands("rotate galaxies") == bands("galaxies rotate")


def test_near_texts_share_bands_and_others_do_not() -> None:
    assert share_found(common=18, apart=1) == 1.0  # a Jaccard similarity of 0.9
    assert share_found(common=16, apart=2) >= 0.99  # 0.8
    assert 0.85 <= share_found(common=14, apart=3) < 1.0  # 0.7
    assert share_found(common=4, apart=8) == 0.0  # 0.2


@given(st.text(max_size=80))
def test_a_text_has_all_its_bands_or_none(text: str) -> None:
    found = bands(text)
    assert len(found) == (BANDS if features(text) else 0)
    assert len(set(found)) == len(found)
    assert all(-(2**63) <= band < 2**63 for band in found)


def test_a_text_of_grammar_alone_is_known_by_its_words() -> None:
    assert features("What is it?") == {"what", "is", "it"}
    assert len(bands("What is it?")) == BANDS
    assert bands("?!") == ()


def test_jaccard() -> None:
    assert jaccard(frozenset("abc"), frozenset("bcd")) == 0.5
    assert jaccard(frozenset(), frozenset()) == 0.0
    assert BANDS * ROWS == 240
