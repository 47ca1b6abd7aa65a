"""Whole runs over papers in all file formats.

1. A run over a folder with every format makes traces of its passages. Each record names its document and excerpt, and its
   text is exactly that excerpt.
2. A stopped run that is resumed repeats no call; an added file gives more traces, and the earlier ones stay.
3. Passages cut differently are not mixed; a dry run counts passages (missing libraries: tests/inputs/test_passages.py).
4. In exports, traces of one paper have one source.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.document import read_records
from programs.inputs.papers import source_key
from programs.inputs.reader import read_paper
from programs.inputs.sample import content_id
from tests.inputs.paper_builders import folder_of_all_formats, markdown
from tests.lab import Lab, laboratory, run_command


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    base = {"input_file": [str(folder_of_all_formats(tmp_path / "papers"))], "chunk_tokens": 300, "prefilter": True}
    with laboratory(tmp_path, base=base) as lab:
        yield lab


def test_every_record_names_its_document_and_excerpt(lab: Lab) -> None:
    dry_run = run_command(*lab.arguments(dry_run=True)).stdout
    assert "would cut: 6 documents into" in dry_run
    assert ("lines and passages" in dry_run, lab.calls) == (True, 0)
    done = lab.run_process()
    assert done.returncode == 0, done.stderr
    records = list(read_records(lab.output))
    files = {Path(record.source_paper.place.file).name for record in records if record.source_paper.place}
    assert files >= {"a.pdf", "b.md", "c.txt.gz", "2401.01234v2.tex", "e.html", "f.docx", "g.parquet"}
    for record in records:
        paper = record.source_paper
        assert paper.place is not None
        if paper.place.file.endswith((".parquet", ".jsonl")):
            continue
        assert paper.excerpt is not None
        document = read_paper(lab.folder / "papers" / paper.place.file)
        assert paper.excerpt.document == content_id(document.text)
        assert paper.removed or paper.text == document.text[paper.excerpt.start : paper.excerpt.end]
        if paper.place.file == "a.pdf":
            assert paper.title_given
            assert source_key(paper).startswith("doi:10.1234/scatter")
            assert (paper.extra["license"], bool(paper.excerpt.sections)) == ("CC BY 4.0", True)
    assert "unsupported file type" in done.stdout


def test_a_stopped_run_continues_also_with_a_new_file(lab: Lab) -> None:
    papers = lab.folder / "papers"
    options = {"input_file": [str(papers / name) for name in ("b.md", "g.parquet")]}
    while lab.run(**options, max_calls=25).status == "budget":
        pass
    units, calls = lab.units, lab.calls
    assert calls == 8 * len(units) == 8 * len(set(units))
    (papers / "new.md").write_bytes(markdown().replace(b"galaxies", b"quasars"))
    options["input_file"].append(str(papers / "new.md"))
    lab.run(**options)
    assert lab.units[: len(units)] == units
    assert lab.calls == 8 * len(set(lab.units)) > calls
