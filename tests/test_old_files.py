"""Invariants of files that an earlier version wrote (tests/old; nothing in that folder may be made anew).

1. The document and its journal load; what earlier versions called otherwise has its present name.
2. Every export format, the report read them; a thought's steps keep their texts, in order.
3. Going on is refused, as the program is another; with --allow-mixed it decides from the stored replies, without a call,
   but for verdicts, which have another form now: each judge is asked again, once.
4. What a run left out when runs still did so stays out: going on, in reports, merged and exported.
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
from tests.standin.scientist import Answer

OLD = Path(__file__).parent / "old"


def laid(folder: Path, name: str) -> Path:
    """The recorded files of this name as those of a run's output."""
    for file in OLD.glob(f"{name}*"):
        shutil.copy(file, folder / file.name.replace(name, "out"))
    return folder / "out.json"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return laid(tmp_path, "document")


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
        assert all(verdict.words == verdict.reason for verdict in record.verdicts)
        assert (record.setting, record.needs_passage, record.shape) == ("closed", [], None)
        assert all(step.text in record.reasoning_trace for step in record.steps)


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_exports_them(document: Path, tmp_path: Path, to: str) -> None:
    if to == "verifiers":
        with pytest.raises(UserError, match="no short answer"):
            export([str(document), "--to", to, "--output", str(tmp_path / "out")])
        return
    assert export([str(document), "--to", to, "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "README.md").exists()


def test_the_report_shows_them(document: Path, tmp_path: Path) -> None:
    assert report([str(document), "--output", str(tmp_path / "report.html")]) == 0
    assert "traces" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_run_goes_on_only_where_mixing_is_wanted(document: Path, tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=2) as lab:
        with pytest.raises(UserError, match="--program was"):
            lab.run(traces_per_question=2)
        # Nothing is judged now: where a first attempt was turned down, that one is taken.
        first = accepted_ids(traces[:1] for traces in read_variations(document))
        calls = lab.calls
        lab.run(traces_per_question=2, allow_mixed=True)
        assert len(first) == 3
        assert first <= {record["id"] for record in lab.records}
        assert lab.calls == calls, "what was paid for is read as it was written"


def test_where_a_verdict_has_the_older_form_the_judges_are_asked_again_and_nobody_else(tmp_path: Path) -> None:
    laid(tmp_path, "document")
    base = {"quality_check": True, "judge_models": ["openai/a", "openai/b"]}
    base |= {"traces_per_question": 2, "allow_mixed": True}
    stages: dict[str, Answer] = {"judge": lambda _: verdict(8)}
    with laboratory(tmp_path, texts=2, stages=stages, base=base) as lab:
        finished, calls = lab.counted()
        assert (finished.summary.traces, calls) == ({"accepted": 4}, 4 * 2)
        assert lab.brain.asked == {"judge": calls}
        assert {one["answers_the_question"] for record in lab.records for one in record["verdicts"]} == {8}
        assert lab.counted()[1] == 0


def left_out(journal: Path) -> None:
    """The traces that were taken, and no word of what was left out, in any form that a trainer reads."""
    secret = "one quarter of the area of its horizon"
    assert secret in journal.read_text()
    for to in ("sft", "kto"):
        folder = journal.with_name(f"{to}-{journal.name}")
        assert export([str(journal), "--to", to, "--output", str(folder), "--overwrite"]) == 0
        found = (folder / "data" / "train.jsonl").read_text()
        assert secret not in found
        assert len(found.splitlines()) == 3, "all were taken; what was turned down gives a benchmark away"


def test_what_a_run_left_out_stays_out(tmp_path: Path) -> None:
    journal = laid(tmp_path, "screened").with_suffix(".journal.jsonl")
    accepted = accepted_ids(read_variations(journal))
    left_out(journal)
    merge([str(journal)], tmp_path / "merged.json")
    left_out(tmp_path / "merged.journal.jsonl")
    assert report([str(tmp_path / "merged.json"), "--output", str(tmp_path / "report.html")]) == 0
    judged = {"quality_check": True, "judge_models": ["openai/j"], "max_attempts": 2, "allow_mixed": True}
    with laboratory(tmp_path, base=judged) as lab:
        for settings in ({}, {"min_quality_score": 7.0}):
            finished, calls = lab.counted(**settings)
            assert (calls, finished.summary.traces) == (0, {"accepted": 3, "contaminated": 1, "withdrawn": 1})
            assert {record["id"] for record in lab.records} == accepted
        assert finished.summary.funnel is not None
        (drafted,) = (step for step in finished.summary.funnel.steps if step.what == "questions drafted")
        assert drafted.lost == {"was asked of another text": 4, "gives a benchmark away": 1}
        left_out(journal)
        lab.run(traces_per_sample=7)
        dropped = {question["text"] for line in lab.lines("pool") for question in line.get("dropped") or ()}
        assert len(dropped) == 5
        assert not dropped & {record["user_interaction"]["question"] for record in lab.records}
        assert len(lab.records) == 4 * 7 - 5 - 1
        for line in lab.lines("pool"):
            left, usable = ({one["text"] for one in line.get(name) or ()} for name in ("dropped", "questions"))
            assert not left & usable, "none is counted twice"
