"""Invariants of `programs.run.document`, which writes the JSON output from the journal and reads it.

1. The document has the newest accepted record of every variation, in the order in which the variations first appeared, and
   their number. It has no variation that is rejected, failed, unjudged or a duplicate.
2. It is valid under the published JSON Schema and the pydantic model, with every key and type of the specification.
3. It replaces the old document atomically: a failed write leaves the old document and no other file.
4. It is read as a stream: the first record is available before the last has been read.
5. `programs.document.main` rebuilds it from the journal alone (tests/attack/test_disk.py).
6. A document without a journal is imported as finished: of this version, of an older one, with unknown keys, or in the
   minimal published format. Imported and written again, its records have lost nothing and are unchanged.
7. A file that is not a document is rejected before anything of it is imported.
"""

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import jsonschema
import pytest

from programs import schema
from programs.errors import StorageError, UserError
from programs.run.document import import_document, read_records, write_document
from programs.run.journal import Journal
from programs.schema import Document
from programs.traces.variation import Variation
from tests.builders import TEXT, VERDICT, Answers, append_variations, run_tracer, unread_reply
from tests.lab import run_command

GRADES = "question_alignment scientific_accuracy completeness uncertainty_calibration clarity_structure evidence_usage"
RECORD: dict[str, Any] = {
    "source_paper": {"title": "Scientific Paper 1", "domain": "General Science"},
    "user_interaction": {"question": "Which?", "question_type": "limitation", "difficulty_level": "advanced"},
    "reasoning_trace": "<thought>...</thought>",
    "final_answer": "The calibration.",
    "answer_grades": {name: 0.8 + place / 100 for place, name in enumerate([*GRADES.split(), "overall_score"])},
    "metadata": {
        "authenticity_score": 0.75,
        "complexity_level": "high",
        "reasoning_patterns": ["evidence_evaluation", "self_correction"],
    },
}
MINIMAL: dict[str, Any] = {
    "metadata": {"generation_timestamp": "2026-01-01T12:00:00Z", "total_traces_generated": 1, "status": "completed"},
    "questions": [RECORD],
}


@pytest.fixture(scope="module")
def variations() -> list[Variation]:
    """Accepted variations of two texts, judged and graded: two questions per text with two variations each."""
    answers = Answers(judge=lambda ask: unread_reply() if ask.model == "b" else VERDICT)
    judged = {"quality_check": True, "judge_models": ["a", "b"]}
    options: dict[str, Any] = {"traces": 2, "variations": 2, "grade_answers": True, "grade_model": "g", **judged}
    texts = (TEXT, f"{TEXT} Else nothing is known.")
    made = [variation for text in texts for variation in run_tracer(answers, text, **options).variations]
    assert [variation.status for variation in made] == ["accepted"] * 8
    return made


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.json"


@pytest.fixture
def journal(output: Path) -> Iterator[Journal]:
    with Journal(output.with_suffix(".journal.jsonl")) as opened:
        yield opened


def loaded(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes()))


def published_schema() -> dict[str, Any]:
    done = run_command(main=schema.main)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_accepted_variations_are_written_in_order(variations: list[Variation], output: Path, journal: Journal) -> None:
    append_variations(journal, variations)
    for status in ("rejected", "failed", "unjudged", "duplicate"):
        given = {"sample": "s", "settled": True, "basis": "b", "digest": None, "record": {"id": status}}
        journal.append("unit", status, status=status, **given)
    append_variations(journal, variations[2:3], basis="judged again")
    assert write_document(journal, output, "completed", {"calls": 3}).total_traces_generated == len(variations)
    expected = [line["record"] for line in journal.variations("accepted")]
    document = loaded(output)
    assert document["questions"] == expected
    assert [record["id"] for record in expected] == [variation.record().id for variation in variations]
    assert document["metadata"]["total_traces_generated"] == len(variations)
    assert document["metadata"]["status"] == "completed"
    assert document["metadata"]["run"] == {"calls": 3}


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace", "programs.run.document._stream_document"])
def test_a_failed_write_leaves_the_old_document(
    variations: list[Variation], output: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    append_variations(journal, variations[:1])
    write_document(journal, output, "running")
    before, files = output.read_bytes(), sorted(output.parent.iterdir())
    append_variations(journal, variations)
    with monkeypatch.context() as patch:
        patch.setattr(step, fail)
        with pytest.raises(StorageError, match="No space left on device"):
            write_document(journal, output, "completed")
    assert output.read_bytes() == before
    assert sorted(output.parent.iterdir()) == files
    write_document(journal, output, "completed")
    assert len(loaded(output)["questions"]) == len(variations)


def test_a_document_is_read_as_a_stream(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, count = {**RECORD, "padding": "x" * 10_000}, 300
    output.write_text(json.dumps({**MINIMAL, "questions": [record] * count}))
    opened: list[IO[bytes]] = []
    original = Path.open

    def recording_open(self: Path, *arguments: Any, **named: Any) -> Any:
        opened.append(original(self, *arguments, **named))
        return opened[-1]

    monkeypatch.setattr(Path, "open", recording_open)
    records = read_records(output)
    assert not opened
    next(records)
    assert opened[0].tell() < output.stat().st_size / 4
    assert sum(1 for _ in records) == count - 1


def import_and_rewrite(document: dict[str, Any], output: Path, journal: Journal) -> list[dict[str, Any]]:
    """Imports a document into a new journal, writes it again and returns the records of that."""
    output.write_text(json.dumps(document))
    assert import_document(journal, output) == len(document["questions"])
    write_document(journal, output, "completed")
    return list(loaded(output)["questions"])


UNKNOWN_KEYS: dict[str, Any] = {
    "reviewer": {"name": "n", "scores": [1, 2.5, None]},
    "source_paper": {"doi": "10.1/x"},
    "answer_grades": {"novelty": 0.1},
    "metadata": {"length": 12345678901},
}


@pytest.mark.parametrize("more", [{}, UNKNOWN_KEYS], ids=["minimal", "with keys that we do not know"])
def test_the_published_format_is_imported(more: dict[str, Any], output: Path, journal: Journal) -> None:
    given = RECORD | {name: {**RECORD.get(name, {}), **fields} for name, fields in more.items()}
    (record,) = import_and_rewrite({**MINIMAL, "questions": [given]}, output, journal)
    for name, value in given.items():
        kept = {key: record[name][key] for key in value} if isinstance(value, dict) else record[name]
        assert kept == value
    assert record["source_paper"]["text"] is None
    assert record["generation"] is None
    jsonschema.validate(loaded(output), published_schema())


def test_our_document_is_valid_and_survives_import(variations: list[Variation], output: Path, journal: Journal) -> None:
    append_variations(journal, variations)
    write_document(journal, output, "completed")
    jsonschema.validate(loaded(output), published_schema())
    assert len(Document.model_validate(loaded(output)).questions) == len(variations)
    before = loaded(output)["questions"]
    with Journal(output.with_name("second.jsonl")) as second:
        assert import_and_rewrite({**MINIMAL, "questions": before}, output, second) == before
        assert [line["key"] for line in second.variations()] == [str(variation.key) for variation in variations]
        assert [line["digest"] for line in second.variations()] == [variation.digest for variation in variations]


NO_DOCUMENTS = {
    "nothing": "",
    "prose": "This is my diary.",
    "another object": '{"name": "my-package", "version": "1.0"}',
    "a list": '[{"reasoning_trace": "x"}]',
    "no list of questions": '{"questions": {"a": 1}}',
    "cut off": json.dumps(MINIMAL)[:-40],
    "a wrong record": json.dumps({**MINIMAL, "questions": [RECORD, {"reasoning_trace": "x"}]}),
    "not UTF-8": b"\xff\xfe\x00".decode("latin-1"),
}


@pytest.mark.parametrize("text", NO_DOCUMENTS.values(), ids=NO_DOCUMENTS.keys())
def test_a_file_that_is_no_document_is_rejected_before_any_import(text: str, output: Path, journal: Journal) -> None:
    output.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match="is not a document of this program") as caught:
        import_document(journal, output)
    assert journal.index.counts() == {}
    assert "\n" not in str(caught.value)
    assert output.read_text(encoding="latin-1") == text
