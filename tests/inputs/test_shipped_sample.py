"""The passages in data/ are what their README says of them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from programs.inputs.reader import read_samples
from programs.inputs.report import ReadReport
from programs.inputs.sample import Sample
from programs.inputs.sources import DEFAULT_INPUT


@pytest.fixture(scope="module")
def passages() -> list[Sample]:
    report = ReadReport()
    samples = list(read_samples([DEFAULT_INPUT], max_chars=None, report=report))
    assert not report.skipped
    assert report.lines == len(samples)
    return samples


def test_enough_passages_of_the_right_length(passages: list[Sample]) -> None:
    assert len(passages) >= 90
    assert all(800 <= len(passage.text) <= 3000 for passage in passages)


def test_every_field_is_given_and_no_passage_is_like_another(passages: list[Sample]) -> None:
    assert all(passage.given_id and passage.title_given and passage.domain_given for passage in passages)
    assert len({passage.given_id for passage in passages}) == len(passages)
    assert len({passage.title for passage in passages}) == len(passages)
    openings = Counter(" ".join(passage.text.split()[:3]).lower() for passage in passages)
    assert max(openings.values()) <= 4


def test_nothing_cites_the_world(passages: list[Sample]) -> None:
    for passage in passages:
        assert not re.search(r"https?:|www\.|\bdoi\b|arXiv|et al\.|\(\d{4}\)", passage.text), passage.given_id
