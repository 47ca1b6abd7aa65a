"""Invariants of a run that finds a document and no journal, where the import itself goes wrong.

1. An import that was interrupted is made again: nothing of the document is lost.
2. A document with one wrong record is refused at every run, not taken over up to there and then written over.

(What is taken over, and that it is finished: tests/test_document.py and tests/run/test_resume.py.)
"""

from __future__ import annotations

import json

import pytest

from programs.document import import_document
from programs.errors import UserError
from programs.run.journal import Journal
from tests.lab import Lab


def forget_journal(lab: Lab) -> None:
    for path in lab.folder.glob(f"{lab.journal.name}*"):
        path.unlink()


def test_an_import_that_was_interrupted_is_made_again(lab: Lab) -> None:
    lab.run(traces_per_sample=2)
    before, document = lab.records, lab.output.read_bytes()
    forget_journal(lab)
    lab.output.write_text(json.dumps({**lab.document, "questions": before[:3]}))
    with Journal(lab.journal) as journal:
        import_document(journal, lab.output)
    lab.output.write_bytes(document)
    lab.run(traces_per_sample=2, max_traces=1)
    assert lab.records == before


def test_a_document_with_one_wrong_record_is_refused_every_time(lab: Lab) -> None:
    lab.run(traces_per_sample=2)
    forget_journal(lab)
    document = lab.document
    del document["questions"][3]["final_answer"]
    lab.output.write_text(json.dumps(document))
    before, calls = lab.output.read_bytes(), lab.calls
    for _ in range(2):
        with pytest.raises(UserError, match="is not a document of this program"):
            lab.run(traces_per_sample=2)
    assert lab.output.read_bytes() == before
    assert lab.calls == calls
