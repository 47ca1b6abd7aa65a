"""PDF files of papers: columns in reading order, no running heads or page numbers; unreadable files raise a reason."""

from typing import Any

import pytest

from programs.inputs.formats.paper import Paper
from programs.inputs.formats.pdf import read_pdf as read
from programs.inputs.report import Unreadable
from tests.inputs import pdf_builders

ORDER = [
    "We measure the scatter of the relation",
    "Dust reddens the light",
    "In this work 212 galaxies",
    *(f"During night {night} the spectrograph" for night in range(1, 9)),
    "The apparent magnitude",
    "m(z) = 5 log d(z) + 25 + A",
    "where the extinction A",
    "ln L = -0.5 (m",
    "in which C holds",
    *(f"In subsample {number} the fitted slope" for number in range(1, 11)),
    "The scatter of the relation is smaller",
    "We thank the staff",
    "Riess, A. G.",
]


@pytest.fixture(scope="module", params=[False, True], ids=["by columns", "line by line across the page"])
def paper(request: pytest.FixtureRequest) -> Paper:
    return read(pdf_builders.two_columns(rowwise=request.param))


def test_columns_are_read_one_after_the_other(paper: Paper) -> None:
    positions = [paper.text.index(words) for words in ORDER]
    assert positions == sorted(positions)


def test_words_broken_at_line_ends_are_joined_and_others_keep_their_hyphen(paper: Paper) -> None:
    for word in ("corrected for spectroscopic selection", "measurements of the relation", "standard deviation"):
        assert word in paper.text
    assert "correlations" in paper.text, "broken at the end of a column"
    assert "well-known bias of flux-limited samples" in paper.text
    [night] = [part for part in paper.text.split("\n\n") if part.startswith("During night 3 the spectrograph")]
    assert night.endswith("Frames with clouds were rejected."), "the paragraph is not split"


def test_running_heads_page_numbers_and_the_arxiv_stamp_are_left_out(paper: Paper) -> None:
    assert pdf_builders.RUNNING_HEAD not in paper.text
    assert "arXiv" not in paper.text
    assert not any(line.strip().isdigit() and len(line) > 1 for line in paper.text.split("\n"))


def test_the_sections_are_those_of_the_paper(paper: Paper) -> None:
    assert [" > ".join(section.path) for section in paper.sections] == [
        "",
        "Abstract",
        "1 Introduction",
        "2 Data and Methods",
        "2 Data and Methods > 2.1 Observations",
        "2 Data and Methods > 2.2 Model",
        "3 Results",
        "4 Conclusions",
        "Acknowledgements",
        "References",
    ]
    assert [section.kind for section in paper.sections][-3:] == [None, "acknowledgements", "references"]


def test_title_doi_arxiv_id_authors_and_licence_are_found(paper: Paper) -> None:
    assert read(pdf_builders.two_columns(info=False)).title == pdf_builders.TITLE
    assert paper.title == pdf_builders.TITLE
    assert paper.fields == {
        "doi": "10.1234/scatter.2024.17",
        "arxiv_id": "2401.01234v2",
        "license": "CC BY 4.0",
        "authors": ["J. Doe and R. Roe"],
    }


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged"),
        (b"%PDF-1.7\n%%EOF", "damaged"),
        (b"no PDF at all, but some words", "damaged"),
        (pdf_builders.two_columns()[:3000], "damaged"),
    ],
    ids=["empty", "hollow", "text", "torn"],
)
def test_an_unreadable_file_raises_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(data)


LEADING: list[dict[str, Any]] = [{"leading": leading} for leading in (1.2, 2.4, 3.2)]
GAP = [{"gap": 6.0}, {"gap": 8.0, "leading": 2.4}]
NUMBERED = [{"numbered": 50.0}, {"leading": 2.4, "numbered": 560.0}, {"form": True, "numbered": 50.0}]


@pytest.mark.parametrize("layout", [*LEADING, *GAP, *NUMBERED], ids=str)
def test_line_spacing_line_numbers_and_forms_do_not_change_the_text(layout: dict[str, Any]) -> None:
    paper = read(pdf_builders.one_column(**layout))
    assert paper.text.split("\n\n") == ["Introduction", *pdf_builders.PARAGRAPHS]
