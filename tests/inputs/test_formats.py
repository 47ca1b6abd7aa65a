"""The reader of each format: title, sections, fields and text of a document, or why it cannot be read."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.inputs.formats import reader_of
from programs.inputs.formats.html import read_html
from programs.inputs.formats.latex import read_latex
from programs.inputs.formats.paper import Paper
from programs.inputs.formats.text import read_markdown, read_text
from programs.inputs.formats.word import read_docx
from programs.inputs.papers import arxiv_in, arxiv_of_name, doi_in, licence_in, usable_title
from programs.inputs.report import Unreadable
from tests.inputs import paper_builders


def headings(paper: Paper) -> list[str]:
    return [" > ".join(section.path) for section in paper.sections]


def test_markdown() -> None:
    paper = read_markdown(paper_builders.markdown())
    assert paper.title == "Markdown of dust"
    assert headings(paper) == ["", "Methods", "Setext results", "References"]
    fields = {"doi": "10.1234/md.1", "license": "CC-BY-4.0", "date": "2024-01-03", "authors": ["J. Doe"]}
    assert paper.fields == fields
    assert paper.text.startswith("# Markdown of dust\n\nDust reddens")
    assert "# no heading" in paper.text
    assert r"$\beta = 1.1$" in paper.text
    assert paper.sections[-1].kind == "references"


def test_markdown_without_front_matter_or_with_odd_front_matter() -> None:
    assert read_markdown(b"# A title\n\nWords.\n\n## One\n\nMore.").title == "A title"
    several = read_markdown(b"# One\n\nWords.\n\n# Two\n\nMore.")
    assert (several.title, headings(several)) == (None, ["One", "Two"])
    odd = read_markdown(b"---\ntitle: Dust\ndate: 2024-02-30\n---\n\nWords.")
    assert (odd.text, odd.title, odd.fields) == ("Words.", "Dust", {"date": "2024-02-30"})
    ruled = read_markdown(b"---\nWords: [of, no\n---\n\nMore words.")
    assert ruled.text.startswith("---\nWords")


def test_latex() -> None:
    paper = read_latex(paper_builders.latex())
    assert paper.title == "LaTeX of dust"
    assert paper.fields == {"doi": "10.1234/tex.1"}
    sections = ["Abstract", "Introduction", "Introduction > Model", "Acknowledgements", "More of it", "References"]
    assert headings(paper) == sections
    assert [section.kind for section in paper.sections][3:] == ["acknowledgements", "appendix", "references"]
    assert r"We measure $\sigma_8 = 0.81$ to 5% accuracy." in paper.text
    assert r"m(z) = 5 \log_{10} d(z) + 25" in paper.text
    assert "amounts to 300 per cent, cf. Fig. 3 of [Riess2016]." in paper.text
    assert "The scatter of $m$." in paper.text
    for words in ("never shown", "usepackage", "aastex", "includegraphics", "a.png", "University", "sec:one", "other"):
        assert words not in paper.text


def test_a_declared_encoding_is_used_and_otherwise_utf_8() -> None:
    page = '<html><head><meta charset="iso-8859-1"></head><body><p>Naïve dust</p></body></html>'
    assert read_html(page.encode("latin-1")).text == read_html("<p>Naïve dust</p>".encode()).text == "Naïve dust"
    old = "\\usepackage[latin1]{inputenc}\n\\section{Étude}\nNaïve \\msun{} of stars."
    paper = read_latex(old.encode("latin-1"))
    assert headings(paper) == ["Étude"]
    assert paper.text.endswith("Naïve \\msun{} of stars.")
    with pytest.raises(Unreadable, match="UTF-8"):
        read_latex("Naïve.".encode("latin-1"))


def test_html() -> None:
    paper = read_html(paper_builders.html())
    assert paper.title == "HTML of dust"
    assert paper.fields == {
        "doi": "10.1234/html.1",
        "license": "https://creativecommons.org/licenses/by-nc/4.0/",
        "authors": ["Doe, J."],
    }
    assert headings(paper) == ["", "Abstract", "Results", "Results > Table", "References"]
    assert "The slope is $\\beta=1.1$, as bold as H2O.\nNext." in paper.text
    assert "name | slope\na | 1.1" in paper.text
    for words in ("Home", "Cookies", "hidden", "Publisher", "{}"):
        assert words not in paper.text


def test_word() -> None:
    paper = read_docx(paper_builders.word())
    assert paper.title == "Word of dust"
    assert paper.fields == {"doi": "10.1234/docx.1", "authors": ["J. Doe", "R. Roe"]}
    assert headings(paper) == ["Introduction", "Introduction > Sample", "References"]
    assert "name | slope\na | 1.1" in paper.text


def test_text() -> None:
    paper = read_text(paper_builders.text())
    assert headings(paper) == ["Abstract", "1 Introduction", "1 Introduction > 1.1 Earlier work", "Acknowledgements"]
    assert paper.title is None
    assert paper.fields == {}
    assert read_text("Dust.".encode("utf-16")).text == "Dust."


UNREADABLE = {
    "txt that is empty": (".txt", b" \n\0", "without text"),
    "md with nothing but front matter": (".md", b"---\ntitle: x\n---\n", "without text"),
    "html with nothing to read": (".html", b"<html><body><nav>Home</nav></body></html>", "without text"),
    "tex with nothing in its body": (".tex", b"\\begin{document}\n% x\n\\end{document}", "without text"),
    "docx that is another zip": (".docx", b"PK\x05\x06" + bytes(18), "damaged"),
    "docx cut off": (".docx", paper_builders.word()[:2000], "damaged"),
    "docx with a password": (".docx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password"),
    "docx of Word 97": (".docx", b"\xd0\xcf\x11\xe0" + bytes(600), "damaged"),
}


@pytest.mark.parametrize(("ending", "data", "reason"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_document_raises_its_reason(ending: str, data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        reader_of(ending)(data)


@given(st.text(max_size=300), st.sampled_from([".md", ".txt", ".tex", ".html"]))
def test_sections_of_any_readable_text_are_disjoint_and_cover_it(words: str, ending: str) -> None:
    try:
        paper = reader_of(ending)(f"\\section{{A}} # B\n\n## C\n\n<p>{words}\n\nReferences".encode("utf-8", "replace"))
    except Unreadable:
        return
    paper.text.encode()
    covered = {n for section in paper.sections for n in range(section.start, section.end)}
    assert len(covered) == sum(section.end - section.start for section in paper.sections)
    assert all(paper.text[n].isspace() for n in set(range(len(paper.text))) - covered)


BY_NC = "Creative Commons Attribution-NonCommercial 4.0"


@pytest.mark.parametrize(
    ("read", "words", "found"),
    [
        (doi_in, "doi:10.1234/abc.5.", "10.1234/abc.5"),
        (doi_in, "https://doi.org/10.1016/S0140-6736(20)30183-5", "10.1016/s0140-6736(20)30183-5"),
        (doi_in, "(https://doi.org/10.1093/mnras/stab1234)", "10.1093/mnras/stab1234"),
        (doi_in, "DOI 10.3847/1538-4357/ab1234", "10.3847/1538-4357/ab1234"),
        (doi_in, "Reference 10.1234/of.another", None),
        (arxiv_in, "arXiv:2401.01234v2 [astro-ph.CO] 3 Jan 2024", "2401.01234v2"),
        (arxiv_in, "arXiv:hep-th/9901001v1", "hep-th/9901001v1"),
        (arxiv_in, "see 2401.01234", None),
        (arxiv_of_name, "2401.01234v2.tex.gz", "2401.01234v2"),
        (arxiv_of_name, "table-2401.01234.pdf", None),
        (licence_in, "http://creativecommons.org/licenses/by/4.0/ .", "http://creativecommons.org/licenses/by/4.0"),
        (licence_in, "the Creative Commons Attribution-NonCommercial 4.0\nInternational License", BY_NC),
        (licence_in, "Published under CC BY 4.0.", "CC BY 4.0"),
        (licence_in, "All rights reserved.", None),
        *(
            (usable_title, none, None)
            for none in ("untitled", "Microsoft Word - a.docx", "main.tex", "ms", "1.2v1", "")
        ),
        (usable_title, "Scatter of\nthe relation", "Scatter of the relation"),
    ],
)
def test_metadata_is_found_in_text(read: Callable[[str], str | None], words: str, found: str | None) -> None:
    assert read(words) == found
