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
GRADED = {"grade_answers": True}
SOLVED: dict[str, Any] = {"blind_solve": 2, "solver_model": "openai/other"}
BEFORE = {"blind_solve": 2, "check_steps": True, "quality_check": True, "grade_answers": False}


@pytest.mark.parametrize(
    ("last", "given", "line"),
    [
        (None, {}, None),
        ({"settings": {"blind_solve": None, "check_steps": False}}, {}, None),
        ({"settings": {"check_steps": True}}, {"check_steps": True}, None),
        ({"status": "a merge's, which says nothing of settings"}, {}, None),
        (None, SOLVED, None),
        (None, GRADED, "a model grades its own work"),
        (None, {**GRADED, **JUDGED}, None),
        (None, {**GRADED, **JUDGED, "stage_model": ["answer=openai/j"]}, "a model judges and grades its own"),
        (None, {**GRADED, "stage_model": ["trace=openai/x", "answer=openai/y"]}, None),
        (None, {"blind_solve": 2}, "a model solves and compares its own work"),
        (None, {"blind_solve": 2, "compare_model": "openai/other"}, "a model solves its own work"),
        (None, {**SOLVED, "compare_model": "openai/writer"}, "a model compares its own work"),
        ({"settings": BEFORE}, {"check_steps": True}, "the last run had --quality-check, --blind-solve, this one"),
    ],
)
def test_what_is_warned_of(last: dict[str, Any] | None, given: dict[str, Any], line: str | None) -> None:
    lines = list(cautions(Settings(model="openai/writer", **given), last))
    assert len(lines) == (line is not None)
    assert line is None or lines[0].startswith(line)


def test_a_run_says_it_once_and_its_summary_says_whose_work_it_is(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "synthreasoner"):
        cautions = lab.run(blind_solve=1).summary.cautions
        assert caplog.messages == cautions == lab.document["metadata"]["run"]["cautions"]
        assert "a model solves and compares its own work" in cautions[0]
        caplog.clear()
        finished, calls = lab.counted()
        [line] = caplog.messages
        assert "the last run had --blind-solve" in line
        assert (finished.summary.cautions, calls) == ([], 0)
        caplog.clear()
        lab.run()
        assert caplog.messages == []
