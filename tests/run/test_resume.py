"""A second run on the same output: what it adds, what it decides again, what it rejects.

1. Extending a run repeats no call whose reply is in the journal.
2. Changed rules decide again from stored verdicts (tests/run/test_attempts.py); only missing verdicts need calls.
3. Results that earlier runs lack are added to the existing traces, which are not made again.
4. A run that would mix unlike data is rejected with exit code 2, naming both values, and changes nothing.
5. No file of the user is destroyed.
6. `--max-traces` is exact, whatever the concurrency and whatever was rejected.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from programs.tracer import Tracer
from tests.lab import Lab, laboratory, run_command, user_error
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import STAGE_OF_FIELD, StageRequest

JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": PANEL}


def catalogue_number(request: StageRequest) -> int:
    """The number of the passage that a request is about."""
    return int(request.text.partition("Catalogue ")[2].split()[0])


def marked_answer(request: StageRequest) -> dict[str, Any]:
    """An answer that says so if it was made again."""
    text = scientist.answer(request)["text"]
    return {"text": f"{text} That much is made anew." if request.input("feedback") else text}


def stages_with_scores(scores: list[int]) -> dict[str, scientist.AnswerFunction]:
    """Stages whose judges rate the first attempt at passage n with `scores[n]`, and every later attempt with 9."""

    def judge(request: StageRequest) -> dict[str, Any]:
        return verdict(9 if "made anew" in request.input("answer") else scores[catalogue_number(request) % len(scores)])

    return {"judge": judge, "answer": marked_answer}


def count_repeated_requests(lab: Lab) -> int:
    """The number of requests that equal an earlier one."""
    sent = Counter(json.dumps(body, sort_keys=True) for body in lab.server.bodies)
    return sum(count - 1 for count in sent.values())


def test_1_extending_in_steps_gives_what_one_run_gives(tmp_path: Path) -> None:
    with laboratory(tmp_path / "whole") as one_run, laboratory(tmp_path / "steps") as in_steps:
        one_run.run(traces_per_sample=3, traces_per_question=2)
        in_steps.run(max_traces=2)
        in_steps.run(traces_per_question=2, max_traces=5)
        in_steps.run(traces_per_sample=2)
        in_steps.run(traces_per_sample=3, traces_per_question=2)
        texts = [{record["id"]: record["reasoning_trace"] for record in lab.records} for lab in (one_run, in_steps)]
        assert texts[0] == texts[1]
        assert one_run.calls == in_steps.calls


def test_1_settings_that_do_not_affect_the_data_repeat_no_call(lab: Lab) -> None:
    lab.run(max_traces=2)
    _, calls = lab.run_and_count(concurrency=2, timeout=3.0, patience=5.0, log_level="info")
    assert calls == 2 * 8
    assert count_repeated_requests(lab) == 0


def test_2_traces_below_a_higher_threshold_are_replaced_from_later_texts(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12, stages=stages_with_scores([6, 8])) as lab:
        lab.run(**JUDGED, min_quality_score=6, max_attempts=1, max_traces=4)
        assert len(lab.units) == 4
        lab.run(**JUDGED, min_quality_score=8, max_attempts=1, max_traces=4)
        assert {record["metadata"]["quality_score"] for record in lab.records} == {8.0}
        assert len(lab.units) == 4
        assert "4 fewer traces in" in run_command(*lab.arguments(**JUDGED, min_quality_score=9, max_attempts=1)).stdout


def test_3_another_panel_adds_only_its_missing_verdicts(tmp_path: Path) -> None:
    with laboratory(tmp_path, stages=stages_with_scores([7])) as lab:
        lab.run(**JUDGED)
        _, calls = lab.run_and_count(quality_check=True, judge_models=["openai/mild", "openai/third"])
        assert calls == 4
        for record in lab.records:
            assert [judged["judge"] for judged in record["verdicts"]] == ["openai/mild", "openai/third"]


def rejection_of(lab: Lab, **options: Any) -> str:
    """Asserts that a run is rejected and changes nothing. Returns its error."""
    before = {path: path.read_bytes() for path in (lab.output, lab.journal)}
    calls = lab.calls
    line = user_error(run_command(*lab.arguments(**options)))
    assert lab.calls == calls
    assert {path: path.read_bytes() for path in before} == before
    assert "--allow-mixed" in line
    assert "--no-resume" in line
    return line


def test_4_a_run_that_made_nothing_does_not_restrict_later_ones(lab: Lab) -> None:
    failed = run_command(*lab.arguments(model="openai/typo", api_base="http://127.0.0.1:9/v1", patience=0.05))
    assert (failed.returncode, [line["kind"] for line in lab.lines()]) == (2, ["run"])
    assert lab.run(max_traces=1).summary.traces == {"accepted": 1}


def test_4_another_program_or_seed_is_rejected(lab: Lab) -> None:
    lab.run(max_traces=1)
    compiled = lab.folder / "program.json"
    tracer = Tracer()
    signature = tracer.questions.predict.signature
    tracer.questions.predict.signature = signature.with_instructions(
        f"{signature.instructions} Prefer short questions."
    )
    tracer.save(compiled)
    line = rejection_of(lab, program=compiled, seed=12)
    assert "--seed was 0 and is now 12" in line
    [fingerprint] = {record["generation"]["program"] for record in lab.records}
    assert fingerprint in line
    finished = lab.run(program=compiled, allow_mixed=True, max_traces=2)
    assert finished.summary.traces == {"accepted": 2}
    assert len({record["generation"]["program"] for record in lab.records}) == 2


def test_5_a_fresh_start_moves_the_old_files_aside(lab: Lab) -> None:
    lab.run(max_traces=2)
    document_before, journal_before = lab.output.read_bytes(), lab.journal.read_bytes()
    _, calls = lab.run_and_count(max_traces=1, resume=False)
    assert calls == 8
    assert len(lab.units) == 1
    aside = {path.name.split(".2")[0]: path for path in lab.folder.glob("*.old")}
    assert aside["out.json"].read_bytes() == document_before
    assert aside["out.journal.jsonl"].read_bytes() == journal_before


def delete_journal(lab: Lab) -> None:
    for path in lab.folder.glob("out.journal.jsonl*"):
        path.unlink()


def test_5_an_interrupted_import_of_a_document_is_completed(lab: Lab) -> None:
    lab.run(traces_per_question=2)
    before = sorted(lab.units)
    delete_journal(lab)
    lab.run(traces_per_question=2)
    variations = [
        line for line in lab.journal.read_bytes().splitlines(keepends=True) if line.startswith(b'{"kind":"unit"')
    ]
    delete_journal(lab)
    lab.journal.write_bytes(b"".join(variations[:3]))
    lab.run(traces_per_question=2)
    assert sorted(lab.units) == before


@pytest.mark.parametrize(
    ("max_traces", "concurrency", "per_text"), [(7, 1, 1), (1, 64, 1), (30, 64, 1), (5, 64, 2), (17, 64, 2)]
)
def test_6_max_traces_is_exact(tmp_path: Path, concurrency: int, max_traces: int, per_text: int) -> None:
    with laboratory(tmp_path, texts=40 if per_text == 1 else 6) as lab:
        several = {"traces_per_sample": per_text, "traces_per_question": per_text}
        _, calls = lab.run_and_count(max_traces=max_traces, concurrency=concurrency, **several)
        assert len(set(lab.units)) == len(lab.units) == max_traces
        assert calls == max_traces * 8 or per_text > 1, "no calls are made for further traces"


@pytest.mark.parametrize("missing", ["grade", "judge"])
def test_3_missing_verdicts_and_grades_are_added_without_a_new_trace(tmp_path: Path, missing: str) -> None:
    """Even if there are enough traces."""

    def broken_brain(body: dict[str, Any]) -> str:
        reply = lab.brain(body)
        lost = missing in STAGE_OF_FIELD[next(iter(json.loads(reply)))] and body["model"] != "strict"
        return "I would rather not." if lost else reply

    options = {**JUDGED, "grade_answers": True, "max_traces": 3}
    with laboratory(tmp_path, texts=9) as lab:
        lab.server.brain = broken_brain
        lab.run(**{**options, "grade_model": "openai/grader"})
        assert len(lab.records) == 3
        before = {record["id"]: record["reasoning_trace"] for record in lab.records}
        lab.server.brain = lab.brain
        _, calls = lab.run_and_count(**{**options, "grade_model": "openai/grader"})
        assert calls == 3, "one for each trace"
        assert {record["id"]: record["reasoning_trace"] for record in lab.records} == before
        for record in lab.records:
            assert record["answer_grades"]["overall_score"] is not None
            assert all(verdict["scored"] for verdict in record["verdicts"])
        assert lab.run_and_count(**{**options, "grade_model": "openai/grader"})[1] == 0


def judge_rejecting_two_in_five(request: StageRequest) -> dict[str, Any]:
    return verdict(3 if int(request.nonce[:4], 16) % 10 < 4 else 8)


def test_6_texts_with_too_few_traces_are_resumed_until_there_are_enough(tmp_path: Path) -> None:
    options = {**JUDGED, "judge_models": PANEL[:1], "max_attempts": 1, "concurrency": 8}
    with laboratory(tmp_path, texts=2, stages={"judge": judge_rejecting_two_in_five}) as lab:
        lab.run(**options, traces_per_sample=7)
        possible = len(lab.records)
    with laboratory(tmp_path / "again", texts=2, stages={"judge": judge_rejecting_two_in_five}) as lab:
        lab.run(**options, traces_per_sample=7, max_traces=possible)
        assert len(lab.records) == possible > 3
        assert count_repeated_requests(lab) == 0
