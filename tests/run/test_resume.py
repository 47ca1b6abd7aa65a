"""A second run on the same output: what it adds, what it decides again, what it refuses.

1. More of the same extends: no call whose record was written is made again.
2. Other rules decide again from stored verdicts (tests/run/test_attempts.py); only what they cannot tell is asked.
3. What was not asked for before is filled in for the traces that are there, without making them anew.
4. What would mix unlike data is refused with exit code 2, naming both values, and changes nothing.
5. Nothing that the user has is destroyed.
6. `--max-traces` is exact, whatever the concurrency and whatever was rejected.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from programs.tracer import Tracer
from tests.lab import Lab, called, laboratory, mistake
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import STAGE_OF_FIELD, Asked

JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": PANEL}


def catalogue_of(asked: Asked) -> int:
    """Which passage a request is about."""
    return int(asked.text.partition("Catalogue ")[2].split()[0])


def answer(asked: Asked) -> dict[str, Any]:
    """Says whether it was made again."""
    text = scientist.answer(asked)["text"]
    return {"text": f"{text} That much is made anew." if asked.given("feedback") else text}


def score_by_text(scores: list[int]) -> dict[str, scientist.Answer]:
    """A panel whose every judge gives the first attempt at passage n `scores[n]`, and any later one 9."""

    def judge(asked: Asked) -> dict[str, Any]:
        return verdict(9 if "made anew" in asked.given("answer") else scores[catalogue_of(asked) % len(scores)])

    return {"judge": judge, "answer": answer}


def repeated(lab: Lab) -> int:
    """Requests that are equal to an earlier one, byte for byte."""
    sent = Counter(json.dumps(body, sort_keys=True) for body in lab.server.bodies)
    return sum(count - 1 for count in sent.values())


def test_1_extending_in_steps_gives_what_one_run_gives(tmp_path: Path) -> None:
    with laboratory(tmp_path / "whole") as one, laboratory(tmp_path / "steps") as many:
        one.run(traces_per_sample=3, traces_per_question=2)
        many.run(max_traces=2)
        many.run(traces_per_question=2, max_traces=5)
        many.run(traces_per_sample=2)
        many.run(traces_per_sample=3, traces_per_question=2)
        texts = [{record["id"]: record["reasoning_trace"] for record in lab.records} for lab in (one, many)]
        assert texts[0] == texts[1]
        assert one.calls == many.calls


def test_1_settings_that_make_no_difference_to_the_data_make_none(lab: Lab) -> None:
    lab.run(max_traces=2)
    _, calls = lab.counted(concurrency=2, timeout=3.0, patience=5.0, log_level="info")
    assert calls == 2 * 8
    assert repeated(lab) == 0


def test_2_what_a_higher_threshold_takes_away_is_replaced_from_later_texts(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12, stages=score_by_text([6, 8])) as lab:
        lab.run(**JUDGED, min_quality_score=6, max_attempts=1, max_traces=4)
        assert len(lab.units) == 4
        lab.run(**JUDGED, min_quality_score=8, max_attempts=1, max_traces=4)
        assert {record["metadata"]["quality_score"] for record in lab.records} == {8.0}
        assert len(lab.units) == 4
        assert "4 fewer traces in" in called(*lab.arguments(**JUDGED, min_quality_score=9, max_attempts=1)).stdout


def test_3_another_panel_adds_its_own_verdicts_alone(tmp_path: Path) -> None:
    with laboratory(tmp_path, stages=score_by_text([7])) as lab:
        lab.run(**JUDGED)
        _, calls = lab.counted(quality_check=True, judge_models=["openai/mild", "openai/third"])
        assert calls == 4
        for record in lab.records:
            assert [given["judge"] for given in record["verdicts"]] == ["openai/mild", "openai/third"]


def refused(lab: Lab, **given: Any) -> str:
    """What a run that is refused says; it must have changed nothing."""
    before = {path: path.read_bytes() for path in (lab.output, lab.journal)}
    calls = lab.calls
    line = mistake(called(*lab.arguments(**given)))
    assert lab.calls == calls
    assert {path: path.read_bytes() for path in before} == before
    assert "--allow-mixed" in line
    assert "--no-resume" in line
    return line


def test_4_a_run_that_made_nothing_binds_nobody(lab: Lab) -> None:
    failed = called(*lab.arguments(model="openai/typo", api_base="http://127.0.0.1:9/v1", patience=0.05))
    assert (failed.returncode, [line["kind"] for line in lab.lines()]) == (2, ["run"])
    assert lab.run(max_traces=1).summary.traces == {"accepted": 1}


def test_4_another_program_or_seed_is_refused(lab: Lab) -> None:
    lab.run(max_traces=1)
    compiled = lab.folder / "program.json"
    tracer = Tracer()
    signature = tracer.questions.predict.signature
    tracer.questions.predict.signature = signature.with_instructions(
        f"{signature.instructions} Prefer short questions."
    )
    tracer.save(compiled)
    line = refused(lab, program=compiled, seed=12)
    assert "--seed was 0 and is now 12" in line
    [fingerprint] = {record["generation"]["program"] for record in lab.records}
    assert fingerprint in line
    finished = lab.run(program=compiled, allow_mixed=True, max_traces=2)
    assert finished.summary.traces == {"accepted": 2}
    assert len({record["generation"]["program"] for record in lab.records}) == 2


def test_5_a_fresh_start_moves_the_old_files_aside(lab: Lab) -> None:
    lab.run(max_traces=2)
    document_before, journal_before = lab.output.read_bytes(), lab.journal.read_bytes()
    _, calls = lab.counted(max_traces=1, resume=False)
    assert calls == 8
    assert len(lab.units) == 1
    aside = {path.name.split(".2")[0]: path for path in lab.folder.glob("*.old")}
    assert aside["out.json"].read_bytes() == document_before
    assert aside["out.journal.jsonl"].read_bytes() == journal_before


def without_journal(lab: Lab) -> None:
    for path in lab.folder.glob("out.journal.jsonl*"):
        path.unlink()


def test_5_taking_over_a_document_can_be_broken_off(lab: Lab) -> None:
    lab.run(traces_per_question=2)
    before = sorted(lab.units)
    without_journal(lab)
    lab.run(traces_per_question=2)
    variations = [
        line for line in lab.journal.read_bytes().splitlines(keepends=True) if line.startswith(b'{"kind":"unit"')
    ]
    without_journal(lab)
    lab.journal.write_bytes(b"".join(variations[:3]))
    lab.run(traces_per_question=2)
    assert sorted(lab.units) == before


@pytest.mark.parametrize(
    ("wanted", "concurrency", "a_text"), [(7, 1, 1), (1, 64, 1), (30, 64, 1), (5, 64, 2), (17, 64, 2)]
)
def test_6_max_traces_is_exact(tmp_path: Path, concurrency: int, wanted: int, a_text: int) -> None:
    with laboratory(tmp_path, texts=40 if a_text == 1 else 6) as lab:
        several = {"traces_per_sample": a_text, "traces_per_question": a_text}
        _, calls = lab.counted(max_traces=wanted, concurrency=concurrency, **several)
        assert len(set(lab.units)) == len(lab.units) == wanted
        assert calls == wanted * 8 or a_text > 1, "and no call is made for a trace that is not wanted"


@pytest.mark.parametrize("missing", ["grade", "judge"])
def test_3_what_failed_of_an_accepted_trace_is_filled_in(tmp_path: Path, missing: str) -> None:
    """Although there are traces enough."""

    def broken(body: dict[str, Any]) -> str:
        said = lab.brain(body)
        lost = missing in STAGE_OF_FIELD[next(iter(json.loads(said)))] and body["model"] != "strict"
        return "I would rather not." if lost else said

    options = {**JUDGED, "grade_answers": True, "max_traces": 3}
    with laboratory(tmp_path, texts=9) as lab:
        lab.server.brain = broken
        lab.run(**{**options, "grade_model": "openai/grader"})
        assert len(lab.records) == 3
        before = {record["id"]: record["reasoning_trace"] for record in lab.records}
        lab.server.brain = lab.brain
        _, calls = lab.counted(**{**options, "grade_model": "openai/grader"})
        assert calls == 3, "what is missing of each trace"
        assert {record["id"]: record["reasoning_trace"] for record in lab.records} == before
        for record in lab.records:
            assert record["answer_grades"]["overall_score"] is not None
            assert all(verdict["scored"] for verdict in record["verdicts"])
        assert lab.counted(**{**options, "grade_model": "openai/grader"})[1] == 0


def two_in_five_rejected(asked: Asked) -> dict[str, Any]:
    return verdict(3 if int(asked.nonce[:4], 16) % 10 < 4 else 8)


def test_6_texts_that_had_got_too_few_traces_are_taken_up_until_there_are_enough(tmp_path: Path) -> None:
    options = {**JUDGED, "judge_models": PANEL[:1], "max_attempts": 1, "concurrency": 8}
    with laboratory(tmp_path, texts=2, stages={"judge": two_in_five_rejected}) as lab:
        lab.run(**options, traces_per_sample=7)
        possible = len(lab.records)
    with laboratory(tmp_path / "again", texts=2, stages={"judge": two_in_five_rejected}) as lab:
        lab.run(**options, traces_per_sample=7, max_traces=possible)
        assert len(lab.records) == possible > 3
        assert repeated(lab) == 0
