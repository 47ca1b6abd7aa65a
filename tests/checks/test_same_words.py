"""When two nearly equal sentences say the same.

1. Inflection, joining words, punctuation and markup may differ; the relation is symmetric, and holds of a text and itself.
2. A replaced, added, lost or moved word of sense makes them differ, however small it is.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from programs.checks.same_words import MAY_DIFFER, same_words
from programs.checks.words import stem

WORDS = [
    "metformin",
    "placebo",
    "lower",
    "higher",
    "glucose",
    "patients",
    "more",
    "less",
    "not",
    "of",
    "the",
    "12",
    "0.5",
    "B",
]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=2, max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The stars of 2,000 galaxies rotate.", "Stars in the 2000 galaxies rotated"),
        ("It is the *cleaned* map that was used", "the “cleaned” map used"),
        (r"A mass of $\mathrm{M}_{12}$ fits, thus.", "a mass of M 12 fits"),
        ("It doesn't grow", "it does not grow"),
        ("H<sub>2</sub> gas cools", "H2 gas cools"),
    ],
)
def test_what_may_differ(one: str, other: str) -> None:
    assert same_words(one, other)
    assert same_words(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("metformin gave lower glucose than placebo", "placebo gave lower glucose than metformin"),
        ("the gas mass of every galaxy", "the stellar mass of every galaxy"),
        ("more than five sigma", "less than five sigma"),
        ("it fell from 5", "it fell to 5"),
        ("group A grew", "group B grew"),
        ("5% of them", "5 of them"),
        ("p < 0.05", "p > 0.05"),
        ("a slope of 1,5", "a slope of 15"),
        ("it grows", "it never grows"),
        ("fitted", "fited"),
        (r"$\alpha$ grows", r"$\beta$ grows"),
    ],
)
def test_what_may_not(one: str, other: str) -> None:
    assert not same_words(one, other)
    assert not same_words(other, one)


@given(TEXTS, st.data())
def test_two_words_that_change_places_make_another_sentence(words: list[str], data: st.DataObject) -> None:
    one, other = (data.draw(st.integers(0, len(words) - 1)) for _ in range(2))
    turned = list(words)
    turned[one], turned[other] = turned[other], turned[one]
    assert same_words(" ".join(words), " ".join(words))
    heavy = [[stem(word.lower()) for word in text if word not in MAY_DIFFER] for text in (words, turned)]
    assert same_words(" ".join(words), " ".join(turned)) == (heavy[0] == heavy[1])


@given(TEXTS, st.integers(0, 11), st.sampled_from(WORDS))
def test_a_replaced_word_makes_another_sentence(words: list[str], place: int, new: str) -> None:
    assume(place < len(words) and new not in MAY_DIFFER and words[place] != new)
    assert not same_words(" ".join(words), " ".join([*words[:place], new, *words[place + 1 :]]))
