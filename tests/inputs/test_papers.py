"""source_of: records of the same paper have the same source and, if they tell, those of different papers different ones."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.inputs.papers import source_of

SAME: dict[str, list[dict[str, Any]]] = {
    "doi:10.1186/cc5084": [
        {"doi": "10.1186/CC5084", "paper_id": "x", "title": "T"},
        {"DOI": "https://doi.org/10.1186/cc5084"},
        {"doi": " doi:10.1186/cc5084. "},
        {"doi": "{10.1186/cc5084}"},
        {"url": "https://doi.org/10.1186%2Fcc5084?download=1"},
        {"source": "https://example.org/x : paper.md (Journal, doi:10.1186/cc5084)"},
        {"id": "10.1186/cc5084#3"},
    ],
    "arxiv:1604.01424": [
        {"arxiv": "1604.01424"},
        {"arXiv_id": "arXiv:1604.01424v3"},
        {"paper": "https://arxiv.org/abs/1604.01424v2"},
        {"url": "http://arxiv.org/pdf/1604.01424v1.pdf"},
        {"id": "1604.01424v1_12"},
        {"id": "1604.01424-p3"},
        {"eprint": "1604.01424", "url": "https://example.org/a"},
    ],
    "arxiv:hep-th/9901001": [
        {"arxiv": "hep-th/9901001"},
        {"link": "https://arxiv.org/abs/hep-th/9901001v2"},
        {"id": "hep-th/9901001-0"},
    ],
    "pmid:15137012": [{"pmid": 15137012}, {"PubMed_ID": "PMID: 15137012", "title": "T"}],
    "pmc:1794452": [{"pmcid": "PMC1794452"}, {"pmc": "1794452"}],
    "document:w2031": [
        {"paper_id": "W2031", "title": "T"},
        {"Document": "w2031"},
        {"doc-id": "W2031#section-2"},
        {"bibcode": "W2031"},
    ],
    "document:https://example.org/papers/ms.tex": [
        {"source": "https://example.org/papers/ms.tex#intro"},
        {"url": "https://example.org/papers/ms.tex/", "title": "T"},
    ],
    "document:papers/ms.tex": [{"file": "papers/ms.tex"}],
    "title:the age of the universe": [
        {"title": "The Age of the Universe", "source": "OpenStax", "id": "a-1"},
        {"title": "the age of the universe."},
        {"title": "The Age of the Universe (part 2)"},
        {"title": "The Age of the Universe - Section 11", "doi": None, "url": 3.5},
    ],
    "id:openstax-m59942": [{"id": "openstax-m59942-0"}, {"id": "openstax-m59942-12"}, {"id": "openstax-m59942"}],
    "id:w2031": [{"id": "W2031-p4"}, {"id": "W2031_chunk_7"}, {"id": "W2031/sec-2"}, {"id": "W2031-abs"}],
}


def key_of(record: dict[str, Any]) -> str | None:
    rest = {name: value for name, value in record.items() if name not in ("title", "id")}
    return source_of(rest, title=record.get("title"), given_id=record.get("id"))


@pytest.mark.parametrize(("key", "record"), [(key, record) for key, records in SAME.items() for record in records])
def test_records_of_one_paper_have_one_source(key: str, record: dict[str, Any]) -> None:
    assert key_of(record) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "ei-11328"}, {"id": "ei-12834"}),
        ({"id": "cpqa-Mistral-72"}, {"id": "cpqa-Mistral-73"}),
        ({"id": "15137012"}, {"id": "15137013"}),
        ({"id": "0704.0001"}, {"id": "0704.0002"}),
        ({"id": "550e8400-e29b-41d4-a716-446655440000"}, {"id": "550e8400-e29b-41d4-a716-446655440001"}),
        ({"source": "CosmoPaperQA", "title": "A"}, {"source": "CosmoPaperQA", "title": "B"}),
        ({"title": "Dark matter I"}, {"title": "Dark matter II"}),
        ({"doi": "10.1000/a"}, {"doi": "10.1000/b", "title": "A"}),
        ({"doi": "10.1016/S0140-6736(20)30183-5"}, {"doi": "10.1016/S0140-6736(20)30184-7"}),
        (
            {"doi": "10.1175/1520-0442(2000)013<1764:AVOTS>2.0.CO;2"},
            {"doi": "10.1175/1520-0442(2000)013&lt;1781:ASTOT&gt;2.0.CO;2"},
        ),
        *(
            ({"source": name, "id": "18980380"}, {"source": name, "id": "18980381"})
            for name in ("s2orc/train", "https://arxiv.org/", "www.nature.com/", "dolma/pes2o-0012.json.gz")
        ),
    ],
)
def test_two_papers_have_two_sources(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert key_of(one) != key_of(other)


@given(
    st.dictionaries(st.text(max_size=12), st.none() | st.booleans() | st.integers() | st.text()), st.text(), st.text()
)
def test_the_source_of_any_record_is_none_or_has_a_value(fields: dict[str, Any], title: str, given_id: str) -> None:
    key = source_of(fields, title=title, given_id=given_id)
    assert key is None or key.partition(":")[2]
