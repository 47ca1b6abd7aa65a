"""Rejected attempts are data: every attempt that was paid for can be read with its verdicts, without a call.

1. A variation has its accepted record and those that the judges rejected, each complete with verdicts, thought, answer and
   source; the accepted record also has its grades.
2. A variation that was never accepted has its rejected records; a variation without an attempt is left out.
3. Attempts that earlier rules required and the present ones do not need are kept as unused, each once.
4. A document without a journal gives its own records.
5. Variations are read one at a time, so that only a few are in memory.
"""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from programs.records import Record
from programs.run.attempts import ReadTrace, read_variations
from programs.traces.line import attempts_of
from tests.lab import Lab, laboratory
from tests.run.test_resume import marked_answer
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import StageRequest


def judge_harsh_at_first(request: StageRequest) -> dict[str, Any]:
    reasked = "made anew" in request.input("answer")
    return verdict(8 if reasked else 3 if request.body["model"] == "strict" else 5)


def outcomes(variations: list[list[ReadTrace]]) -> list[list[str]]:
    return [[trace.outcome for trace in traces] for traces in variations]


def records_of(variations: list[list[ReadTrace]]) -> list[Record]:
    return [trace.record for trace in chain.from_iterable(variations)]


def test_accepted_and_rejected_attempts_are_read_together_and_complete(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=2, stages={"judge": judge_harsh_at_first, "answer": marked_answer}) as lab:
        lab.run(quality_check=True, judge_models=PANEL, grade_answers=True)
        found = [*read_variations(lab.output)]
        assert outcomes(found) == [["below", "accepted"]] * 2
        assert [accepted.record.id for _, accepted in found] == [record["id"] for record in lab.records]
        for rejected, accepted in (records_of([traces]) for traces in found):
            assert [judged.overall for judged in accepted.verdicts] == [8, 8]
            assert accepted.answer_grades is not None
            verdicts = [(judged.overall, judged.fault) for judged in rejected.verdicts]
            assert verdicts == [(3, "It deserves 3, all told."), (5, "It deserves 5, all told.")]
            assert rejected.metadata.quality_score == 4.0
            assert rejected.source_paper == accepted.source_paper
            assert rejected.user_interaction.question == accepted.user_interaction.question
            assert rejected.reasoning_trace != accepted.reasoning_trace
            assert rejected.final_answer not in lab.output.read_text(encoding="utf-8")
        assert records_of([*read_variations(lab.journal)]) == records_of(found)
        for path in tmp_path.glob("out.journal*"):
            path.unlink()
        without_journal = [*read_variations(lab.output)]
        assert outcomes(without_journal) == [["accepted"], ["accepted"]], "a document without a journal"
        assert records_of(without_journal) == [accepted.record for _, accepted in found]


def test_attempts_that_a_lower_threshold_does_not_need_are_kept(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1, stages={"judge": lambda _request: verdict(5), "answer": marked_answer}) as lab:
        lab.run(quality_check=True, judge_models=PANEL, max_attempts=3)
        _, calls = lab.run_and_count(quality_check=True, judge_models=PANEL, max_attempts=3, min_quality_score=5)
        assert calls == 0
        found = [*read_variations(lab.output)]
        assert outcomes(found) == [["accepted", "unused", "unused"]]
        assert len({record.id for record in records_of(found)}) == 3
        lab.run(quality_check=True, judge_models=PANEL, max_attempts=3, min_quality_score=6)
        assert outcomes([*read_variations(lab.output)]) == [["below"] * 3]


def test_unjudged_and_duplicate_traces_do_not_count_as_rejected(tmp_path: Path) -> None:
    def same_trace(request: StageRequest) -> dict[str, Any]:
        return scientist.trace(StageRequest(request.stage, request.field, "", "0" * 8, 0, {}))

    def same_answer(request: StageRequest) -> dict[str, Any]:
        return {"text": f"The {request.words[0]} decides it, within errors of about 4 percent, as far as one can tell."}

    with laboratory(tmp_path, texts=1, stages={"trace": same_trace, "answer": same_answer}) as lab:
        lab.run(traces_per_question=2)
        assert outcomes([*read_variations(lab.output)]) == [["accepted"], ["duplicate"]]
    with laboratory(tmp_path / "mute", texts=1, stages={"judge": lambda _request: "No comment."}) as lab:
        lab.run(quality_check=True, judge_models=PANEL)
        assert outcomes([*read_variations(lab.output)]) == [["unjudged"]]


def test_variations_are_read_one_at_a_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.run()
    validated, original = list[Any](), Record.model_validate

    def counting_validate(content: Any) -> Record:
        validated.append(content)
        return original(content)

    monkeypatch.setattr(Record, "model_validate", counting_validate)
    variations = read_variations(lab.output)
    next(variations)
    assert len(validated) == 1
    assert len(list(variations)) == 3


@pytest.mark.parametrize(
    ("status", "record", "expected"),
    [
        ("accepted", {"id": "c"}, ["below", "below", "accepted"]),
        ("unjudged", {"id": "c"}, ["below", "below", "unjudged"]),
        ("rejected", None, ["below", "below"]),
        ("failed", None, ["below", "below"]),
        ("duplicate", None, ["below", "duplicate"]),
    ],
)
def test_lines_of_older_versions_are_read(status: str, record: dict[str, str] | None, expected: list[str]) -> None:
    line = {"status": status, "record": record, "attempts": [{"id": "a"}, {"id": "b"}]}
    assert [name for name, _ in attempts_of(line)] == expected
    assert list(attempts_of({"status": status, "record": None})) == []
