"""Invariants of files that earlier versions wrote (tests/old; no file in that folder may be generated again).

1. The document and its journal load, and values that earlier versions named differently have their present names.
2. Every export format and the report can read them. A thought's steps keep their texts and their order.
3. A run refuses to resume, since the program has changed. With --allow-mixed it decides from the stored replies without a
   call, except that each judge is asked again, once, since verdicts have another form now.
4. What older versions left out stays left out when the run is resumed, merged, reported or exported.
"""

import shutil
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest

from programs.document import read_records
from programs.errors import UserError
from programs.export import main as export
from programs.exports.options import FORMATS
from programs.merge import merge
from programs.report import main as report
from programs.run.attempts import ReadTrace, read_variations
from signatures.vocabulary import Kind
from tests.lab import laboratory
from tests.standin.panel import verdict
from tests.standin.scientist import AnswerFunction

OLD = Path(__file__).parent / "old"


def copy_as_output(folder: Path, name: str) -> Path:
    """Copies the recorded files of this name as those of a run whose document is returned."""
    for file in OLD.glob(f"{name}*"):
        shutil.copy(file, folder / file.name.replace(name, "out"))
    return folder / "out.json"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return copy_as_output(tmp_path, "document")


def accepted_ids(variations: Iterable[Iterable[ReadTrace]]) -> set[str | None]:
    return {trace.record.id for trace in chain.from_iterable(variations) if trace.outcome == "accepted"}


def test_the_document_and_its_journal_hold_the_same_traces(document: Path) -> None:
    records = list(read_records(document))
    variations = list(read_variations(document))
    assert len(records) == len(variations) == 4
    assert sorted(record.id or "" for record in records) == sorted(map(str, accepted_ids(variations)))
    assert sum(trace.outcome == "below" for trace in chain.from_iterable(variations)) == 1
    for record in records:
        assert {step.kind for step in record.steps} <= set(get_args(Kind))
        assert [verdict.answers_the_question for verdict in record.verdicts] == [None, None]
        assert all(verdict.comments == verdict.reason for verdict in record.verdicts)
        assert (record.setting, record.needs_passage, record.shape) == ("closed", [], None)
        assert all(step.text in record.reasoning_trace for step in record.steps)


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_exports_an_old_document(document: Path, tmp_path: Path, to: str) -> None:
    if to == "verifiers":
        with pytest.raises(UserError, match="no short answer"):
            export([str(document), "--to", to, "--output", str(tmp_path / "out")])
        return
    assert export([str(document), "--to", to, "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "README.md").exists()


def test_the_report_shows_an_old_document(document: Path, tmp_path: Path) -> None:
    assert report([str(document), "--output", str(tmp_path / "report.html")]) == 0
    assert "traces" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_run_resumes_only_with_allow_mixed(document: Path, tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=2) as lab:
        with pytest.raises(UserError, match="--program was"):
            lab.run(traces_per_question=2)
        # This run has no judges, so it accepts the first attempts, also those that judges rejected.
        first = accepted_ids(traces[:1] for traces in read_variations(document))
        calls = lab.calls
        lab.run(traces_per_question=2, allow_mixed=True)
        assert len(first) == 3
        assert first <= {record["id"] for record in lab.records}
        assert lab.calls == calls, "the stored replies are used"


def test_only_judges_are_asked_again_if_verdicts_have_the_older_form(tmp_path: Path) -> None:
    copy_as_output(tmp_path, "document")
    base = {"quality_check": True, "judge_models": ["openai/a", "openai/b"]}
    base |= {"traces_per_question": 2, "allow_mixed": True}
    stages: dict[str, AnswerFunction] = {"judge": lambda _: verdict(8)}
    with laboratory(tmp_path, texts=2, stages=stages, base=base) as lab:
        finished, calls = lab.run_and_count()
        assert (finished.summary.traces, calls) == ({"accepted": 4}, 4 * 2)
        assert lab.brain.request_counts == {"judge": calls}
        assert {verdict["answers_the_question"] for record in lab.records for verdict in record["verdicts"]} == {8}
        assert lab.run_and_count()[1] == 0


def check_exports(journal: Path) -> None:
    """Exports have the accepted traces, and no word of what was left out."""
    secret = "one quarter of the area of its horizon"
    assert secret in journal.read_text()
    for to in ("sft", "kto"):
        folder = journal.with_name(f"{to}-{journal.name}")
        assert export([str(journal), "--to", to, "--output", str(folder), "--overwrite"]) == 0
        exported = (folder / "data" / "train.jsonl").read_text()
        assert secret not in exported
        assert len(exported.splitlines()) == 3, "all are accepted; the rejected one gives a benchmark away"


def test_what_an_old_run_left_out_stays_left_out(tmp_path: Path) -> None:
    journal = copy_as_output(tmp_path, "screened").with_suffix(".journal.jsonl")
    accepted = accepted_ids(read_variations(journal))
    check_exports(journal)
    merge([str(journal)], tmp_path / "merged.json")
    check_exports(tmp_path / "merged.journal.jsonl")
    assert report([str(tmp_path / "merged.json"), "--output", str(tmp_path / "report.html")]) == 0
    judged = {"quality_check": True, "judge_models": ["openai/j"], "max_attempts": 2, "allow_mixed": True}
    with laboratory(tmp_path, base=judged) as lab:
        for settings in ({}, {"min_quality_score": 7.0}):
            finished, calls = lab.run_and_count(**settings)
            assert (calls, finished.summary.traces) == (0, {"accepted": 3, "contaminated": 1, "withdrawn": 1})
            assert {record["id"] for record in lab.records} == accepted
        assert finished.summary.funnel is not None
        (drafted,) = (step for step in finished.summary.funnel.steps if step.what == "questions drafted")
        assert drafted.lost == {"repeats a question about another text": 4, "leaks a benchmark question": 1}
        check_exports(journal)
        lab.run(traces_per_sample=7)
        dropped = {question["text"] for line in lab.lines("pool") for question in line.get("dropped") or ()}
        assert len(dropped) == 5
        assert not dropped & {record["user_interaction"]["question"] for record in lab.records}
        assert len(lab.records) == 4 * 7 - 5 - 1
        for line in lab.lines("pool"):
            left_out, usable = ({each["text"] for each in line.get(name) or ()} for name in ("dropped", "questions"))
            assert not left_out & usable, "no question is counted twice"
