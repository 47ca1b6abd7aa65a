"""What is repeated is measured; what is no prose is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.text.repetition import is_degenerate, repeated_ngrams

PROSE = "The dipole amplitude is 0.066, and 46 of 2,000 isotropic skies exceed it, so the probability is 2.3 per cent."


@given(st.text(max_size=200), st.integers(1, 6))
def test_the_share_is_a_share(text: str, n: int) -> None:
    assert 0.0 <= repeated_ngrams(text, n) < 1.0


@given(st.lists(st.sampled_from(["gas", "cools", "in", "halos"]), min_size=8, max_size=40))
def test_saying_it_twice_repeats_at_least_nearly_half(words: list[str]) -> None:
    assert repeated_ngrams(" ".join(words * 2)) >= (len(words) - 3) / (2 * len(words) - 3) - 1e-9


def test_known_shares() -> None:
    assert repeated_ngrams("a b c d") == 0.0
    assert repeated_ngrams("a b c d A B C D", n=4) == pytest.approx(1 / 5)
    assert repeated_ngrams("") == 0.0
    with pytest.raises(ValueError, match="at least 1"):
        repeated_ngrams("a", 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("...", "no words"),
        ("----------", "no words"),
        ("0000", "one character"),
        ("The value is 0000000000000000000000", "one character"),
        ("aaaaaaaa", "one character"),
        ("gas and and and dust", "one word"),
        ("the 1, 1, 1, 1, 1, 1, 1", "one word"),
        ("The gas cools in the halo. " * 8, "4-grams"),
        ('{"question": "Why?"}', "JSON"),
        ('```json\n{"a": 1}\n```', "JSON"),
        ('[{"a": "b"}]', "JSON"),
        ('["a", "b"]', "JSON"),
        ('{"question": "Why does', "JSON"),
        ('Here: {"type": "object", "properties": {}}', "JSON"),
        ("= 3.1 + 4.2 - 5.5 * 6.6 / 7.7 + 8.8 - 9.9 = 12.3 x", "letters"),
    ],
)
def test_degenerate(text: str, reason: str) -> None:
    found = is_degenerate(text)
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "42",
        "3.2 km/s",
        "299792458",
        "10000000000 years",
        "6.62607015e-34 J s",
        "The point (0, 0, 0) is the origin.",
        "[12] reports a dipole.",
        "[12]",
        "{\\rm H}_2 forms on grains.",
        "Very, very, very faint galaxies dominate.",
        "H0 = 67.4 ± 0.5 km/s/Mpc, at odds with 73.0 ± 1.0 km/s/Mpc",
        "Schwarzschild metric: ds² = −(1 − 2GM/r)dt² + ...",
    ],
)
def test_prose_and_short_answers_pass(text: str) -> None:
    assert is_degenerate(text) is None
