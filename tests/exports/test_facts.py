"""What is known of a text: its licence, as its record gives it, and its split, which depends only on its paper's name."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.exports.licences import hub_names, licence_name, licence_of
from programs.exports.options import SPLITS, parse_shares, split_of

NAMES = [f"doi:10.1000/{number}" for number in range(4000)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CC BY 4.0", "cc-by-4.0"),
        ("http://creativecommons.org/licenses/by/4.0/", "cc-by-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/deed.en", "cc-by-nc-sa-3.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("http://arxiv.org/licenses/nonexclusive-distrib/1.0/", "arxiv-nonexclusive-distrib-1.0"),
        (" All rights reserved. ", "all-rights-reserved."),
    ],
)
def test_a_licence_has_one_name(text: str, name: str) -> None:
    assert licence_name(text) == name
    assert licence_name(name) == name


BY = "https://creativecommons.org/licenses/by/4.0/"
RECORDS: list[dict[str, Any]] = [
    {"Licence": "cc-by-4.0"},
    {"license_url": BY},
    {"rights": ["", "CC-BY-4.0"]},
    {"license": [{"start": {"date-time": "2019-01-01T00:00:00Z"}, "content-version": "vor", "URL": BY}]},
    {"license": {"start": "2019-01-01", "version": "am", "name": "CC BY 4.0"}},
    {"license": {"name": "Attribution", "url": BY}},
    {"license": None, "licenses": {"id": "cc-by-4.0"}},
    {"metadata": {"license": "CC BY 4.0"}},
]


def test_a_licence_is_found_wherever_records_give_it() -> None:
    assert {licence_of(extra) for extra in RECORDS} == {"cc-by-4.0"}
    without: list[dict[str, Any]] = [{}, {"license": ""}, {"license": None}, {"license": 4}, {"meta": "cc-by-4.0"}]
    assert {licence_of(extra) for extra in without} == {None}


@given(st.text(max_size=100))
def test_any_licence_has_a_name_of_one_word_and_one_that_the_hub_accepts(text: str) -> None:
    name = licence_name(text)
    assert 0 < len(name) <= 80
    assert name.split() == [name]
    assert hub_names([name]) in (name, "other")


@pytest.mark.parametrize("text", ["0.9,0.05,0.05", "0.5,0.5", "1", "0,0,1", "0.8, 0.1, 0.1"])
def test_splits_get_about_their_shares(text: str) -> None:
    shares = parse_shares(text)
    counts = Counter(split_of(name, shares) for name in NAMES)
    for split, share in shares.items():
        # Four standard deviations of a share of 4000.
        assert counts[split] / len(NAMES) == pytest.approx(share, abs=4 * (share * (1 - share) / len(NAMES)) ** 0.5)
    assert counts.total() == len(NAMES)


@given(st.text(max_size=20))
def test_a_larger_first_share_moves_papers_only_to_earlier_splits(source: str) -> None:
    splits = [split_of(source, parse_shares(text)) for text in ("0.5,0.5", "0.6,0.4", "0.9,0.1", "1")]
    positions = [SPLITS.index(split) for split in splits]
    assert positions == sorted(positions, reverse=True)


@pytest.mark.parametrize("text", ["", "a", "0.9", "0.9,0.2", "1,0,0,0", "-1,2", "nan", "inf", "0.5;0.5"])
def test_invalid_shares_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        parse_shares(text)
