"""What a run warns of as it begins.

1. Nothing, where nothing is to be warned of.
2. A judge, grader, solver or comparer that writes the traces is named, with the option that names another, also in the
   run's summary.
3. Options of the last run whose results would leave the records are named.
"""

import logging
from typing import Any

import pytest

from programs.run.resume import cautions
from programs.settings import Settings
from tests.lab import Lab

JUDGED = {"quality_check": True, "judge_models": ["openai/j"]}
SOLVED: dict[str, Any] = {"blind_solve": 2, "solver_model": "openai/other"}


def said(last: dict[str, Any] | None = None, **given: Any) -> list[str]:
    return list(cautions(Settings(model="openai/writer", **given), None if last is None else {"settings": last}))


def test_nothing_is_said_without_reason() -> None:
    assert said() == said({"blind_solve": None, "check_steps": False}) == []
    assert list(cautions(Settings(), {"status": "completed"})) == [], "a merge says nothing of settings"
    assert said(**SOLVED) == []
    assert said({"check_steps": True}, check_steps=True) == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"grade_answers": True}, "a model grades its own work"),
        ({"grade_answers": True, **JUDGED}, None),
        ({"grade_answers": True, "stage_model": ["answer=openai/j"], **JUDGED}, "a model judges and grades its own"),
        ({"stage_model": ["trace=openai/x", "answer=openai/y"], "grade_answers": True}, None),
        ({"blind_solve": 2}, "a model solves and compares its own work"),
        ({"blind_solve": 2, "compare_model": "openai/other"}, "a model solves its own work"),
        ({**SOLVED, "compare_model": "openai/writer"}, "a model compares its own work"),
    ],
)
def test_a_model_that_is_asked_about_its_own_work_is_told(given: dict[str, Any], line: str | None) -> None:
    lines = said(**given)
    assert len(lines) == (line is not None)
    assert line is None or lines[0].startswith(line)


def test_the_summary_says_so_too(lab: Lab) -> None:
    finished = lab.run(max_traces=1, grade_answers=True)
    assert [line.split(",")[0] for line in finished.summary.cautions] == ["a model grades its own work"]
    assert lab.document["metadata"]["run"]["cautions"] == finished.summary.cautions
    assert lab.run(max_traces=1, grade_answers=True, grade_model="openai/other").summary.cautions == []


def test_what_the_records_will_lose_is_told() -> None:
    before = {"blind_solve": 2, "check_steps": True, "quality_check": True, "grade_answers": False}
    (line,) = said(before, check_steps=True)
    assert line.startswith("the last run had --quality-check, --blind-solve, this one has not: ")


def test_a_run_says_it_once(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    lab.run(blind_solve=1)
    assert len(caplog.messages) == 1
    caplog.clear()
    with caplog.at_level(logging.WARNING, "synthreasoner"):
        _, calls = lab.counted()
        assert "the last run had --blind-solve" in caplog.messages[0]
        assert len(caplog.messages) == 1
        caplog.clear()
        lab.run()
        assert caplog.messages == []
        assert calls == 0
