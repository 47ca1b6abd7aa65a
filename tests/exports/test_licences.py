"""Invariants of `programs.exports.licences`: one name for all ways to write a licence, wherever a record gives it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.exports.licences import hub_name, licence_name, licence_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cc-by-4.0", "cc-by-4.0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("CC-BY 4.0 International", "cc-by-4.0"),
        ("Creative Commons Attribution 4.0 International", "cc-by-4.0"),
        ("http://creativecommons.org/licenses/by/4.0/", "cc-by-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/deed.en", "cc-by-nc-sa-3.0"),
        ("Creative Commons Attribution-NonCommercial-NoDerivatives 4.0", "cc-by-nc-nd-4.0"),
        ("CCBYNC", "cc-by-nc"),
        ("cc by", "cc-by"),
        ("CC0", "cc0-1.0"),
        ("CC0 1.0 Universal", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("http://arxiv.org/licenses/nonexclusive-distrib/1.0/", "arxiv-nonexclusive-distrib-1.0"),
        ("MIT", "mit"),
        ("Apache-2.0", "apache-2.0"),
        (" All rights reserved. ", "all-rights-reserved."),
    ],
)
def test_one_name_for_all_ways_to_write_it(text: str, name: str) -> None:
    assert licence_name(text) == name
    assert licence_name(name) == name


@pytest.mark.parametrize(
    "extra",
    [
        {"license": "CC BY 4.0"},
        {"Licence": "cc-by-4.0"},
        {"license_url": "https://creativecommons.org/licenses/by/4.0/"},
        {"rights": ["", "CC-BY-4.0"]},
        {"license": [{"URL": "http://creativecommons.org/licenses/by/4.0/", "delay-in-days": 0}]},
        {"license": None, "licenses": {"id": "cc-by-4.0"}},
        {"metadata": {"license": "CC BY 4.0"}},
    ],
)
def test_it_is_found_where_records_give_it(extra: dict[str, Any]) -> None:
    assert licence_of(extra) == "cc-by-4.0"


@pytest.mark.parametrize("extra", [{}, {"license": ""}, {"license": None}, {"license": 4}, {"meta": "cc-by-4.0"}])
def test_where_none_is_given_there_is_none(extra: dict[str, Any]) -> None:
    assert licence_of(extra) is None


@pytest.mark.parametrize(
    ("licence", "name"), [("mit", "mit"), ("cc-by", "other"), (None, "unknown"), ("unknown", "unknown")]
)
def test_the_hub_is_given_names_that_it_knows(licence: str | None, name: str) -> None:
    assert hub_name(licence) == name


@given(st.text(max_size=100))
def test_any_text_has_a_name_of_one_line(text: str) -> None:
    name = licence_name(text)
    assert name
    assert len(name) <= 80
    assert name.split() == [name]
