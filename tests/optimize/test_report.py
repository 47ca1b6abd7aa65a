"""Invariants of `optimize.report`.

1. A predictor has changed when its instructions, demonstrations or temperature are other than they were: not when it only
   has some.
2. The verdict says better only where the interval lies above 0, worse where it lies below, and as it was where nothing
   changed.
3. The text holds every metric, what failed, what it cost, and of each changed predictor the instruction before and after.
4. What could not be measured is a dash, and tokens that were not all counted are said to be at least so many.
5. The JSON can be read again, and holds no address.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dspy
import pytest

from optimize.measure import Measured
from optimize.metrics import Score
from optimize.proof import prove
from optimize.recording import Recorder
from optimize.report import Report, markdown, tuned_predictors, verdict, write_report
from optimize.report import report_of as made
from optimize.settings import CompileSettings
from programs.tracer import Tracer

BEFORE, AFTER = [0.2, 0.3, 0.25, 0.25] * 5, [0.8, 0.7, 0.9, 0.8] * 5
SIDE = {"texts": 8, "hash": "0123"}


def changed() -> Tracer:
    """A program of which the answer has another instruction, the critique a demonstration and a temperature."""
    tracer = Tracer()
    tracer.writer.answer.signature = tracer.writer.answer.signature.with_instructions("Say a | b.\nThen stop.")
    tracer.strands.critique.demos = [dspy.Example(question="q", critique={"strengths": []})]
    tracer.strands.critique.config["temperature"] = 0.0
    return tracer


def measured(value: float | None, **metrics: float | None) -> Measured:
    return Measured(
        Score(value, ""), {n: Score(v, "") for n, v in metrics.items()}, {"trace": None if value else "no JSON"}
    )


def report_of(
    folder: Path, before: list[float | None], after: list[float | None], program: Tracer | None = None, **given: Any
) -> Report:
    settings = CompileSettings(model="openai/any", api_base=["http://user:pw@host/v1"], stage=["answer"])
    settings = settings.model_copy(update={"judge_models": ["openai/a"], "report_judge_models": ["openai/b"]})
    weights = {"form": 1.0, "judge": 1.0}
    sides = [[measured(value, form=value, judge=None) for value in some] for some in (before, after)]
    proof = prove(*sides, seed=0, weights=weights)
    data = {"train": SIDE, "val": SIDE, "test": SIDE}
    compilation: Any = SimpleNamespace(
        settings=settings, tracer=Tracer(), data=data, weights=weights, warnings=lambda _: ["beware"]
    )
    recorder = Recorder(folder)
    found = made(compilation, program or changed(), proof, recorder, 0)
    recorder.journal.close()
    return found.model_copy(update=given)


def test_1_what_has_changed_is_known() -> None:
    found = tuned_predictors(Tracer(), changed())
    assert {name for name, tuned in found.items() if tuned.changed} == {"writer.answer", "strands.critique"}
    assert found["strands.critique"].temperature == 0.0
    assert found["strands.critique"].demonstrations == 1
    assert not any(tuned.changed for tuned in tuned_predictors(changed(), changed()).values())
    other = changed()
    other.strands.critique.demos = [dspy.Example(question="p", critique={"strengths": []})]
    other.strands.critique.config.clear()
    assert {name for name, tuned in tuned_predictors(changed(), other).items() if tuned.changed} == {"strands.critique"}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (BEFORE, AFTER, "The compiled program is better: 0.250 before, 0.800 after; the difference +0.550 (+"),
        (AFTER, BEFORE, "The compiled program is worse: 0.800 before, 0.250 after; the difference -0.550 (-"),
        ([0.1, 0.9, 0.5], [0.9, 0.1, 0.6], "The compiled program is not shown to be better: 0.500 before, 0.533 after"),
        ([0.1, None, None], [0.9, 0.9, None], "Too few texts could be scored to compare the programs."),
    ],
)
def test_2_the_verdict_keeps_to_the_interval(
    before: list[float | None], after: list[float | None], said: str, tmp_path: Path
) -> None:
    report = report_of(tmp_path, before, after)
    assert verdict(report).startswith(said)
    assert report.improved is ("is better" in said)


def test_2_nothing_changed_is_nothing_found(tmp_path: Path) -> None:
    report = report_of(tmp_path, list(BEFORE), list(BEFORE), Tracer())
    assert verdict(report) == "Nothing better was found: the program is as it was."
    assert "### " not in markdown(report)


def test_3_the_text_holds_what_was_done(tmp_path: Path) -> None:
    spend = {"calls": 7, "prompt_tokens": 100, "completion_tokens": 20, "uncounted": 0}
    report = report_of(
        tmp_path, [0.0, *BEFORE], [0.5, *AFTER], spent={"student": spend, "judge": {**spend, "uncounted": 2}}
    )
    text = markdown(report)
    assert "# optuna on answer, for openai/any" in text
    assert verdict(report) in text
    assert "Warning: beware." in text
    assert "The composite: form 1, judge 1. Judged by openai/b; while tuning by openai/a." in text
    assert "program.json holds training texts" in text
    assert "| form | 0.238 | 0.786 | +0.548 (" in text
    assert "| judge | - | - | - | 0 |" in text
    assert "| trace | 1 of 21 | 0 of 21 |" in text
    assert "| student | 7 | 100 | 20 |" in text
    assert "| judge | 7 | at least 100 | at least 20 |" in text
    assert "### strands.critique: demonstrations 1, temperature 0.0\n\nThe instruction is as it was." in text
    plain = Tracer().writer.answer.signature.instructions.replace("\n", "<br>")
    assert "### writer.answer: demonstrations 0, temperature as it was" in text
    assert f"| {plain} | Say a \\| b.<br>Then stop. |" in text
    assert "### writer.trace" not in text
    assert "12 to 23% of cases" in text
    assert "train: 8 texts, hash 0123" in text


def test_4_two_of_two_tell_no_bounds(tmp_path: Path) -> None:
    text = markdown(report_of(tmp_path, [0.0, 0.0], [1.0, 1.0]))
    assert "| form | 0.000 | 1.000 | +1.000 | 2 |" in text
    assert "Too few sources prove" in text


def test_5_the_json_can_be_read_again(tmp_path: Path) -> None:
    report = report_of(tmp_path, list(BEFORE), list(AFTER))
    write_report(report, tmp_path)
    assert Report.model_validate_json((tmp_path / "report.json").read_bytes()) == report
    assert json.loads((tmp_path / "report.json").read_text())["improved"] is True
    assert (tmp_path / "report.md").read_text() == markdown(report)
    for name in ("report.json", "report.md"):
        assert "pw" not in (tmp_path / name).read_text()
