"""Warnings at the start of a run.

1. A run without a cause for warnings gives none.
2. A run warns, also in its summary, of a judge, grader, solver or comparer that also writes the traces, with the option
   that chooses another.
3. A run warns of options of the last run that it lacks and whose results would therefore be removed from the records.
"""

import logging
from typing import Any

import pytest

from programs.run.resume import cautions
from programs.settings import Settings
from tests.lab import Lab

JUDGED = {"quality_check": True, "judge_models": ["openai/j"]}
GRADED = {"grade_answers": True}
BLIND_SOLVED: dict[str, Any] = {"blind_solve": 2, "solver_model": "openai/other"}
EARLIER = {"blind_solve": 2, "check_steps": True, "quality_check": True, "grade_answers": False}


@pytest.mark.parametrize(
    ("last", "options", "start"),
    [
        (None, {}, None),
        ({"settings": {"blind_solve": None, "check_steps": False}}, {}, None),
        ({"settings": {"check_steps": True}}, {"check_steps": True}, None),
        ({"status": "a merge's, which says nothing of settings"}, {}, None),
        (None, BLIND_SOLVED, None),
        (None, GRADED, "a model grades its own work"),
        (None, {**GRADED, **JUDGED}, None),
        (None, {**GRADED, **JUDGED, "stage_model": ["answer=openai/j"]}, "a model judges and grades its own"),
        (None, {**GRADED, "stage_model": ["trace=openai/x", "answer=openai/y"]}, None),
        (None, {"blind_solve": 2}, "a model solves and compares its own work"),
        (None, {"blind_solve": 2, "compare_model": "openai/other"}, "a model solves its own work"),
        (None, {**BLIND_SOLVED, "compare_model": "openai/writer"}, "a model compares its own work"),
        ({"settings": EARLIER}, {"check_steps": True}, "the last run had --quality-check, --blind-solve, this one"),
    ],
)
def test_expected_warnings(last: dict[str, Any] | None, options: dict[str, Any], start: str | None) -> None:
    lines = list(cautions(Settings(model="openai/writer", **options), last))
    assert len(lines) == (start is not None)
    assert start is None or lines[0].startswith(start)


def test_a_run_warns_once_and_its_summary_keeps_the_warning(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "synthreasoner"):
        cautions = lab.run(blind_solve=1).summary.cautions
        assert caplog.messages == cautions == lab.document["metadata"]["run"]["cautions"]
        assert "a model solves and compares its own work" in cautions[0]
        caplog.clear()
        finished, calls = lab.run_and_count()
        [warning] = caplog.messages
        assert "the last run had --blind-solve" in warning
        assert (finished.summary.cautions, calls) == ([], 0)
        caplog.clear()
        lab.run()
        assert caplog.messages == []
