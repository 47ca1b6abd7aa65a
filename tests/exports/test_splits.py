"""Invariants of `programs.exports.splits`: places are by name alone, and shares are kept over many papers."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.exports.splits import SPLITS, Shares

NAMES = [f"doi:10.1000/{number}" for number in range(4000)]


@pytest.mark.parametrize("text", ["0.9,0.05,0.05", "0.5,0.5", "1", "0,0,1", "0.8, 0.1, 0.1"])
def test_shares_are_kept(text: str) -> None:
    shares = Shares.parse(text)
    counts = Counter(map(shares.split_of, NAMES))
    for split, share in shares.named():
        # Four standard deviations of a share of 4000.
        assert counts[split] / len(NAMES) == pytest.approx(share, abs=4 * (share * (1 - share) / len(NAMES)) ** 0.5)
    assert sum(counts.values()) == len(NAMES)


@given(st.text(max_size=20))
def test_a_larger_first_share_takes_papers_and_loses_none(source: str) -> None:
    placed = [Shares.parse(text).split_of(source) for text in ("0.5,0.5", "0.6,0.4", "0.9,0.1", "1")]
    places = [SPLITS.index(split) for split in placed]
    assert places == sorted(places, reverse=True)


@pytest.mark.parametrize("text", ["", "a", "0.9", "0.9,0.2", "1,0,0,0", "-1,2", "nan", "inf", "0.5;0.5"])
def test_what_are_no_shares_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        Shares.parse(text)
