"""Whole runs over papers as they come.

1. A run over a folder of every kind makes traces of its passages; each record says which part of which document it is of,
   and its text is exactly that part.
2. Stopped and started again, it makes what one run would have made, and no call twice; with a file more it makes more.
3. Passages cut otherwise are not mixed; missing libraries are one line before any call; a dry run tells passages.
4. Traces of one paper are of one source in exports.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.document import read_records
from programs.inputs.papers import source_key
from programs.inputs.reader import read_paper
from programs.inputs.sample import content_id
from tests.inputs.making_papers import folder_of_all, markdown
from tests.lab import Lab, called, laboratory, mistake

OUT_OF_TABLES = (".parquet", ".jsonl")


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    return folder_of_all(tmp_path / "papers")


@pytest.fixture
def lab(tmp_path: Path, papers: Path) -> Iterator[Lab]:
    base = {"input_file": [str(papers)], "chunk_tokens": 300, "prefilter": True}
    with laboratory(tmp_path, base=base) as lab:
        yield lab


def test_every_record_says_which_part_of_which_document_it_is_of(lab: Lab) -> None:
    done = lab.command()
    assert done.returncode == 0, done.stderr
    records = list(read_records(lab.output))
    files = {Path(record.source_paper.place.file).name for record in records if record.source_paper.place}
    assert files >= {"a.pdf", "b.md", "c.txt.gz", "2401.01234v2.tex", "e.html", "f.docx", "g.parquet"}
    for record in records:
        paper = record.source_paper
        assert paper.place is not None
        if paper.place.file.endswith(OUT_OF_TABLES):
            continue
        assert paper.excerpt is not None
        document = read_paper(lab.folder / "papers" / paper.place.file)
        assert paper.excerpt.document == content_id(document.text)
        assert paper.removed or paper.text == document.text[paper.excerpt.start : paper.excerpt.end]
    pdf = [
        record.source_paper for record in records if source_key(record.source_paper).startswith("doi:10.1234/scatter")
    ]
    assert len(pdf) > 2
    assert pdf[0].title_given
    assert pdf[0].extra["license"] == "CC BY 4.0"
    assert any("2.1 Observations" in name for paper in pdf if paper.excerpt for name in paper.excerpt.sections)
    assert "a kind of file that is not read" in done.stdout


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, papers: Path) -> None:
    files = [str(papers / name) for name in ("b.md", "g.parquet")]
    base = {"input_file": files, "chunk_tokens": 300}
    with laboratory(tmp_path / "whole", base=base) as whole:
        whole.run()
        with laboratory(tmp_path / "torn", base=base) as torn:
            while torn.run(max_calls=25).status == "budget":
                assert torn.calls <= whole.calls
            assert sorted(torn.units) == sorted(whole.units)
            assert torn.calls == whole.calls
            _, again = torn.counted()
            assert again == 0
            (papers / "new.md").write_bytes(markdown().replace(b"galaxies", b"quasars"))
            torn.run(input_file=[*files, str(papers / "new.md")])
            assert len(torn.units) > len(whole.units)


def test_missing_libraries_are_one_line_before_any_call(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pdf_inspector", None)
    assert "pip install 'synthreasoner[papers]'" in mistake(called(*lab.arguments()))
    assert lab.calls == 0
    assert not lab.journal.exists()


def test_a_dry_run_tells_what_would_be_cut(lab: Lab) -> None:
    done = called(*lab.arguments(dry_run=True))
    assert done.returncode == 0
    assert "would cut: 6 documents into" in done.stdout
    assert "lines and passages" in done.stdout
    assert lab.calls == 0
