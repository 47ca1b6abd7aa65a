"""Journals and documents whose verdicts have the older form: a `reason` and four ratings.

A run that goes on decides by the present rules: where a stored reply has the older form the judge is asked again, once, and
nothing else is. (tests/test_old_files.py reads them, exports and reports on them.)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab, laboratory
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked

OLD = {"reason": "Sound, though thin.", "reasoning_quality": 7, "accuracy": 4, "coherence": 7}
JUDGED: dict[str, Any] = {"quality_check": True, "judge_models": PANEL, "max_attempts": 1}


def judge(asked: Asked) -> dict[str, Any]:
    """Rejects one of the texts."""
    return verdict(7 if "Catalogue 0" in asked.text else 3)


def aged(value: Any) -> Any:
    """A line of a journal, or a document, as the version before would have written it."""
    if isinstance(value, list):
        return [aged(one) for one in value]
    if not isinstance(value, dict):
        return value
    if {"fault", "best_point"} <= value.keys():
        kept = {name: value[name] for name in ("judge", "scored", "raw_overall") if name in value}
        return {**kept, **OLD, "overall": value["overall"]}
    return {
        name: "judged by openai/strict,openai/mild from 6.0 in 1; not graded" if name == "basis" else aged(one)
        for name, one in value.items()
    }


@pytest.fixture
def lab(tmp_path: Path) -> Any:
    with laboratory(tmp_path, texts=2, stages={"judge": judge}) as lab:
        lab.run(**JUDGED)
        lines = [json.dumps(aged(line), separators=(",", ":")) for line in lab.lines()]
        lab.journal.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        Path(f"{lab.journal}.index").unlink(missing_ok=True)
        lab.output.write_text(json.dumps(aged(lab.document)), encoding="utf-8")
        yield lab


def test_the_judges_are_asked_again_and_nobody_else(lab: Lab) -> None:
    finished, calls = lab.counted(**JUDGED)
    assert (finished.summary.traces, calls) == ({"accepted": 1, "rejected": 1}, 2 * len(PANEL))
    assert {line["stage"] for line in lab.lines("stage")[-calls:]} == {"judge"}
    (record,) = lab.records
    assert [one["answers_the_question"] for one in record["verdicts"]] == [7, 7]
    _, calls = lab.counted(**JUDGED)
    assert calls == 0
