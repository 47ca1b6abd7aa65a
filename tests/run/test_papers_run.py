"""Whole runs over papers as they come.

1. A run over a folder of every kind makes traces of its passages; each record says which part of which document it is of,
   and its text is exactly that part.
2. Stopped and started again, it makes no call twice; with a file more it makes more, and what was there stays.
3. Passages cut otherwise are not mixed; a dry run tells passages (missing libraries: tests/inputs/test_passages.py).
4. Traces of one paper are of one source in exports.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.document import read_records
from programs.inputs.papers import source_key
from programs.inputs.reader import read_paper
from programs.inputs.sample import content_id
from tests.inputs.making_papers import folder_of_all, markdown
from tests.lab import Lab, called, laboratory


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    base = {"input_file": [str(folder_of_all(tmp_path / "papers"))], "chunk_tokens": 300, "prefilter": True}
    with laboratory(tmp_path, base=base) as lab:
        yield lab


def test_every_record_says_which_part_of_which_document_it_is_of(lab: Lab) -> None:
    planned = called(*lab.arguments(dry_run=True)).stdout
    assert "would cut: 6 documents into" in planned
    assert ("lines and passages" in planned, lab.calls) == (True, 0)
    done = lab.command()
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


def test_a_run_that_was_stopped_goes_on(lab: Lab) -> None:
    papers = lab.folder / "papers"
    given = {"input_file": [str(papers / name) for name in ("b.md", "g.parquet")]}
    while lab.run(**given, max_calls=25).status == "budget":
        pass
    units, calls = lab.units, lab.calls
    assert calls == 8 * len(units) == 8 * len(set(units))
    (papers / "new.md").write_bytes(markdown().replace(b"galaxies", b"quasars"))
    given["input_file"].append(str(papers / "new.md"))
    lab.run(**given)
    assert lab.units[: len(units)] == units
    assert lab.calls == 8 * len(set(lab.units)) > calls
