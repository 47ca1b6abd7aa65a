"""Quotes are found where they stand, up to spacing and typography; a changed number or a lost "not" is no quote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.checks.evidence import Match, locate, normalise

PASSAGE = (
    "For multipoles 2 to 64 the fitted modulation amplitude is 0.066, "
    "whereas the isotropic skies have a mean of 0.034.\n\n"
    "The “cleaned” map – as the ﬁrst release calls it – does not show residual emission above 3.2 mK, "
    "and the scan over 2,000 skies was not fixed in advance… It did not."
)
LETTERS = st.text(alphabet=st.sampled_from("ab cdE.é0 19-–“”'\n\t ﬁßİ…\u200b"), min_size=12, max_size=200)


@given(st.data())
def test_every_slice_is_located(data: st.DataObject) -> None:
    passage = data.draw(LETTERS)
    start = data.draw(st.integers(0, len(passage) - 12))
    end = data.draw(st.integers(start + 12, len(passage)))
    quote = passage[start:end]
    match = locate(quote, passage)
    if not quote.strip():
        assert match is None
    else:
        assert match is not None
        assert passage[match.start : match.end] == quote.strip()
        assert match.similarity == 100.0


@given(st.integers(0, len(PASSAGE) - 40), st.integers(20, 150))
def test_a_retyped_slice_is_located(start: int, length: int) -> None:
    quote = PASSAGE[start : start + length].strip()
    retyped = "  ".join(quote.upper().split()).replace("–", "-").replace("“", '"').replace("”", '"')
    match = locate(retyped, PASSAGE)
    if len(retyped) >= 12:
        assert match is not None
        assert normalise(PASSAGE[match.start : match.end]) == normalise(retyped)


@given(st.text(max_size=60), st.text(max_size=120))
def test_places_are_inside_the_passage(quote: str, passage: str) -> None:
    match = locate(quote, passage)
    assert match is None or (0 <= match.start < match.end <= len(passage) and 90 <= match.similarity <= 100)


@pytest.mark.parametrize(
    ("quote", "method", "found"),
    [
        ("the fitted modulation amplitude is 0.066", "exact", "the fitted modulation amplitude is 0.066"),
        ('The "cleaned" map - as the first release', "normalised", "The “cleaned” map – as the ﬁrst release"),
        ("a mean of 0.034. The “cleaned” map", "normalised", "a mean of 0.034.\n\nThe “cleaned” map"),
        ('"the isotropic skies have a mean of 0.034"', "normalised", "the isotropic skies have a mean of 0.034"),
        ("...whereas the isotropic skies have...", "normalised", "whereas the isotropic skies have"),
        ("the fited modulation amplitude is 0.066", "fuzzy", "the fitted modulation amplitude is 0.066"),
        ("does not show residul emission above 3.2 mK", "fuzzy", "does not show residual emission above 3.2 mK"),
        ("0.034", "exact", "0.034"),
    ],
)
def test_found(quote: str, method: str, found: str) -> None:
    match = locate(quote, PASSAGE)
    assert match is not None
    assert (match.method, PASSAGE[match.start : match.end]) == (method, found)


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "   ",
        "0.0340",
        "THE FITTED",
        "the fitted modulation amplitude is 0.067",
        "does not show residual emission above 3.7 mK",
        "does show residual emission above 3.2 mK, and the scan over 2,000 skies",
        "the scan over 2,000 skies was fixed in advance",
        "the scan over 3,000 skies was not fixed in advance",
        "Galaxies rotate faster than their stars allow.",
        PASSAGE + " And then a long story follows that is in no passage at all, which goes on and on.",
    ],
)
def test_not_found(quote: str) -> None:
    assert locate(quote, PASSAGE) is None


def test_a_place_that_cuts_no_word_is_preferred() -> None:
    assert locate("ion", "motion of an ion") == Match(13, 16, "exact", 100.0)


def test_a_longer_quote_than_the_passage_needs_the_whole_of_it() -> None:
    passage = "The gas cools slowly in the halo"
    match = locate("The gas cools slowly in the halos.", passage)
    assert match is not None
    assert match.end == len(passage)
    assert locate("x", "") is None
    assert locate("a quote of some length", "") is None
