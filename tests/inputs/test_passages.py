"""Papers and long texts as samples.

1. A passage is exactly the stated part of its document's text; all passages of a paper have the same source.
2. Every passage, row and line, and every document without a passage, is counted once; each reason names its first place.
3. Texts of JSON lines are cut only on request; those that fit are unchanged.
4. A document is not read again if all its passages are done; otherwise it gives the same passages in the same order again.
5. A folder stands for every file of a supported type in it; its other files are counted.
"""

import gzip
from pathlib import Path

import pytest
import zstandard

from programs.errors import UserError
from programs.inputs import process as processes
from programs.inputs.papers import source_key
from programs.inputs.reader import read_paper
from programs.inputs.report import SkipReason
from programs.inputs.sample import content_id
from programs.inputs.sources import find_sources
from tests.inputs import pdf_builders
from tests.inputs.paper_builders import folder_of_all_formats, prose
from tests.inputs.writing import line, read, write


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_all_formats(tmp_path_factory.mktemp("all") / "papers")


def test_5_every_supported_file_of_a_folder_is_read(papers: Path) -> None:
    samples, report = read(papers)
    assert report.skipped == {
        SkipReason.UNKNOWN_KIND: 1,
        SkipReason.OUR_OWN: 1,
        SkipReason.NO_TEXT: 1,
        SkipReason.DUPLICATE: 2,
    }
    assert report.first_examples[SkipReason.UNKNOWN_KIND].file.endswith("picture.png")
    files = "a.pdf b.md f.docx g.parquet h.jsonl below/2401.01234v2.tex below/c.txt.gz below/e.html"
    assert " ".join(dict.fromkeys(sample.place.file for sample in samples)) == files


def test_1_a_passage_is_exactly_the_stated_part_of_its_document(papers: Path) -> None:
    samples, report = read(papers, tokens=200)
    documents = 0
    for file in {sample.place.file for sample in samples if sample.place.file[-3:] not in ("uet", "onl")}:
        passages = [sample for sample in samples if sample.place.file == file]
        paper = read_paper(papers / file)
        documents += 1
        assert [sample.place.line for sample in passages] == list(range(1, len(passages) + 1))
        for sample in passages:
            assert sample.excerpt is not None
            assert sample.text == paper.text[sample.excerpt.start : sample.excerpt.end]
            assert sample.id == content_id(sample.text)
            assert sample.excerpt.document == content_id(paper.text)
            assert len(sample.text) <= 800
        assert len({source_key(sample) for sample in passages}) == 1
    assert documents == 6
    assert report.documents == 7, "the six files and one row of the table"
    rows = [sample for sample in samples if sample.place.file == "g.parquet"]
    assert len(rows) > 1
    for sample in rows:
        assert sample.excerpt is not None
        assert sample.text == prose(600)[sample.excerpt.start : sample.excerpt.end]
        assert (sample.place.line, source_key(sample)) == (1, "doi:10.1234/row.1")


def test_2_documents_without_text_are_counted_with_their_reasons(tmp_path: Path) -> None:
    for name, data in {
        "a.md": b"Some words.",
        "b.pdf": pdf_builders.scan(),
        "c.pdf": pdf_builders.locked(),
        "d.docx": b"no zip",
        "e.txt": "Naïve".encode("latin-1"),
        "f.md": b"",
        "g.txt.gz": gzip.compress(b"Some words that go on and on.")[:-12],
        "h.md": b"Some words.",
        "i.html.zst": zstandard.compress(b"<p>Some words.</p>" * 99)[:9] + b"\xff" * 40,
    }.items():
        (tmp_path / name).write_bytes(data)
    samples, report = read(tmp_path)
    assert [sample.text for sample in samples] == ["Some words."]
    reasons = {
        SkipReason.SCAN,
        SkipReason.LOCKED,
        SkipReason.DAMAGED,
        SkipReason.BAD_UTF8,
        SkipReason.NO_TEXT_IN_IT,
        SkipReason.DUPLICATE,
    }
    assert report.skipped == dict.fromkeys(reasons | {SkipReason.TRUNCATED_ARCHIVE, SkipReason.DAMAGED_ARCHIVE}, 1)
    assert report.first_examples[SkipReason.SCAN].file == "b.pdf"


def test_2_missing_libraries_are_reported_in_one_line(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {"pdf_inspector": "a.pdf", "pypandoc": "f.docx", "pyarrow": "g.parquet", "lxml": "below"}
    for library, name in needed.items():
        with monkeypatch.context() as hidden:
            hidden.setitem(__import__("sys").modules, library, None)
            with pytest.raises(UserError) as error:
                find_sources([str(papers / name)])
            assert str(error.value).endswith("needs the readers for papers: pip install 'synthreasoner[papers]'")
    for name in ("b.md", "below/c.txt.gz"):
        assert [source.name for source in find_sources([str(papers / name)])] == [papers / name]


def test_5_a_folder_without_supported_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(UserError, match=r"folder .* contains no file of a supported type: \.jsonl, .*\.pdf"):
        find_sources([str(tmp_path)])


def test_3_texts_of_json_lines_are_cut_only_on_request(tmp_path: Path) -> None:
    long, short = f"Introduction\n\n{prose(1, 6)}\n\nResults\n\n{prose(9, 6)}", prose(1, 1)
    path = write(tmp_path / "a.jsonl", line(long), line(short))
    whole, report = read(path)
    assert [sample.text for sample in whole] == [long, short]
    assert report.documents == 0
    cut, report = read(path, tokens=300)
    assert report.documents == 1
    assert cut[-1] == whole[-1]
    assert all(long[sample.excerpt.start : sample.excerpt.end] == sample.text for sample in cut[:-1] if sample.excerpt)
    assert cut[0].excerpt is not None
    assert cut[0].excerpt.sections == ("Introduction",)
    assert len({source_key(sample) for sample in cut[:-1]}) == 1


def test_4_finished_documents_are_not_read_again(papers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.jsonl", line(prose(1, 8)), line(prose(30, 1)))
    everything = [path, papers]
    samples, whole = read(*everything, tokens=300)
    done = {sample.line_id for sample in samples}
    assert len(done) == len(samples)

    def fail(*_: object) -> None:
        raise AssertionError("a document was read")

    monkeypatch.setattr(processes.ReaderProcess, "read_paper", fail)
    again, report = read(*everything, tokens=300, done=done)
    assert again == []
    assert report.done == len(samples)
    assert report.documents == whole.documents


def test_4_prefiltered_passages_cause_no_second_read(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = read(papers / "b.md", tokens=150)
    filtered, _ = read(papers / "b.md", tokens=150, prefilter=True)
    monkeypatch.delattr(processes.ReaderProcess, "read_paper")
    done = {sample.line_id for sample in filtered}
    again, report = read(papers / "b.md", tokens=150, prefilter=True, done=done)
    assert again == []
    assert 0 < report.done == len(filtered) < len(whole)


def test_4_a_document_with_one_passage_left_is_read_again(papers: Path) -> None:
    samples, _ = read(papers / "b.md", tokens=300)
    for left in (samples[0], samples[-1]):
        again, _ = read(papers / "b.md", tokens=300, done={s.line_id for s in samples if s != left})
        assert again == samples
