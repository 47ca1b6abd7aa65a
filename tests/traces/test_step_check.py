"""Invariants of the step check (`--check-steps`) and of what a record holds of it (`programs.traces.step_records`).

1. Without it no step has a quote, a status, or anything else than its kind and text.
2. With it each accepted trace costs one call more, to the model that is named, about all its steps. A resumed run repeats
   none; added later, it fills in what is there.
3. Each quote is cut from the passage at its place.
4. A verdict that names no sentence of the passage, or contradicts another on the same step, is none; so is that of a reply
   that could not be read. The step then has none.
5. The summary counts the steps of accepted traces over all runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from programs.asking.plan import Reply
from programs.errors import UserError
from programs.records import Record, StepRecord
from programs.run.dry_run import calls_of
from programs.stages.steps import verdicts_in
from programs.traces.decision import QualityRules
from programs.traces.extras import Extras
from programs.traces.step_checker import StepChecker
from programs.traces.unit import Unit
from tests.lab import Lab, laboratory
from tests.making import VERDICT, Answers, answered, made_of, passage, thought, unread
from tests.run.test_resume import repeated
from tests.standin import scientist
from tests.standin.scientist import Asked

CHECKING = Extras(checker=StepChecker("checker"))


def verdict(step: int, status: str = "supported", sentence: int = 2) -> dict[str, Any]:
    return {"step": step, "sentence": sentence, "reason": "It says the same.", "status": status}


def only(answers: Answers | None = None, **wishes: Any) -> Unit:
    [unit] = made_of(answers or Answers(), **wishes).units
    return unit


def steps_of(unit: Unit) -> list[StepRecord]:
    """The steps of the unit's record, each held to what every record promises."""
    record = unit.record()
    text = record.source_paper.text
    assert text is not None
    for step in record.steps:
        assert (step.quote is None) == (step.start is None) == (step.end is None)
        assert step.quote is None or step.quote == text[step.start : step.end]
    return record.steps


def test_without_it_nothing_is_said_of_a_step() -> None:
    for step in steps_of(only()):
        assert set(step.model_dump(exclude_none=True)) == {"kind", "text"}


@pytest.mark.parametrize(
    ("move", "kind"),
    [
        ("opening", "tries"),
        ("wrong_turn", "wrong"),
        ("doubt", "doubts"),
        ("correction", "takes_back"),
        ("weighing", "considers"),
        ("conclusion", "settles"),
        ("of another tool", "of another tool"),
    ],
)
def test_records_of_older_versions_load(move: str, kind: str) -> None:
    record = only().record().model_dump(mode="json")
    record["steps"] = [{"move": move, "text": "I am asked about it.", "unfound_numbers": ["8 percent"]}]
    record |= {"seeded_error": {"text": "It is the dust."}, "causal_check": {"outcome": "followed"}}
    loaded = Record.model_validate(record)
    assert (loaded.steps[0].kind, loaded.steps[0].quote) == (kind, None)
    assert Record.model_validate(loaded.model_dump(mode="json")) == loaded
    assert loaded.model_dump()["causal_check"] == {"outcome": "followed"}, "what this version does not know is kept"


def test_one_call_asks_about_all_steps() -> None:
    answers = Answers()
    unit = only(answers, extras=CHECKING)
    [ask] = [ask for ask in answers.asked if ask.stage == "steps"]
    assert (ask.judge, ask.key) == ("checker", f"steps/{unit.key}.0/checker")
    assert set(ask.inputs) == {"passage", "steps"}
    steps = steps_of(unit)
    assert str(ask.inputs["steps"]).splitlines() == [f"{n}. {step.text}" for n, step in enumerate(steps, start=1)]
    assert {step.judged_by for step in steps} == {"stand-in"}
    generation = unit.record().generation
    assert generation is not None
    assert generation.calls == 8 + 1


def test_what_the_model_says_stands_in_the_record() -> None:
    items = [
        verdict(1, "no_claim", 0),
        verdict(2, "outside", 0),
        verdict(3, "supported"),
        verdict(4, "inferred", 3),
        verdict(5, "contradicted", 4),
    ]
    answers = Answers(trace=lambda _ask: thought().model_dump(), steps=lambda _ask: {"items": items})
    steps = steps_of(only(answers, extras=CHECKING))
    assert [step.status for step in steps[:5]] == [None, "outside", "supported", "inferred", "contradicted"]
    assert {(step.judged_by, step.reason) for step in steps[:5]} == {("stand-in", "It says the same.")}
    assert [step.quote for step in steps[:5]] == [None, None, *map(passage().sentence, (2, 3, 4))]
    assert all((step.status, step.judged_by, step.reason) == (None, None, None) for step in steps[5:])


@pytest.mark.parametrize(
    "items",
    [
        [verdict(3, "supported", 0)],
        [verdict(3, "supported", 5)],
        [verdict(3, "supported"), verdict(3, "contradicted")],
        [verdict(16)],
    ],
)
def test_a_verdict_that_cannot_stand_is_none(items: list[dict[str, Any]]) -> None:
    unit = only(
        Answers(trace=lambda _ask: thought().model_dump(), steps=lambda _ask: {"items": items}), extras=CHECKING
    )
    assert (unit.status, unit.settled) == ("accepted", True)
    assert {step.judged_by for step in steps_of(unit)} == {None}


def test_what_is_wrong_with_a_reply_is_said() -> None:
    ask = StepChecker("m").stage.ask(passage(), ["A.", "B,\nand C."], "n", "m")
    assert ask.inputs["steps"] == "1. A.\n2. B, and C."
    assert answered(ask, {"items": [verdict(1), verdict(2, "outside", 0)]}).status == "ok"
    faulty = answered(ask, {"items": [verdict(1, "inferred", 9), verdict(1)]})
    assert faulty.problems == [
        "there is no verdict on step 2",
        "step 1 has several verdicts",
        "step 1 is inferred by sentence 9; name one from 1 to 4",
    ]
    assert verdicts_in(faulty, 2, 4) == {}
    twice = answered(ask, {"items": [verdict(1), verdict(1)]})
    assert list(verdicts_in(twice, 2, 4)) == [1]


def test_a_check_that_was_not_answered_is_asked_again_later() -> None:
    unit = only(Answers(steps=lambda _ask: unread()), extras=CHECKING)
    assert (unit.status, unit.settled) == ("accepted", False)
    assert {step.reason for step in steps_of(unit)} == {None}
    given_up = Reply(status="unread", problems=["cut"])
    assert verdicts_in(given_up, 1, 4) == {}


def test_only_accepted_traces_are_checked() -> None:
    answers = Answers(judge=lambda _ask: {**VERDICT, "overall": 2})
    unit = only(answers, extras=CHECKING, quality=QualityRules(check=True, judges=("a",), max_attempts=1))
    assert unit.status == "rejected"
    assert answers.count("steps") == 0


def test_runs_cost_what_the_dry_run_says_and_repeat_nothing(lab: Lab) -> None:
    finished, calls = lab.counted(traces_per_question=2)
    before = {record["id"]: record["reasoning_trace"] for record in lab.records}
    assert finished.summary.findings.steps is None
    options = {"check_steps": True, "check_model": "openai/checker", "traces_per_question": 2}
    assert calls_of(lab.settings(**options), texts=4)["step checks"] == 8
    finished, more = lab.counted(**options)
    assert more == 8, "one a trace, and no other stage again"
    assert sum(calls_of(lab.settings(**options), texts=4).values()) == calls + more
    assert [body["model"] for body in lab.server.bodies[-more:]] == ["checker"] * more
    assert {record["id"]: record["reasoning_trace"] for record in lab.records} == before
    assert repeated(lab) == 0
    finished, more = lab.counted(**options)
    assert more == 0
    steps = [step for record in lab.records for step in record["steps"]]
    found = finished.summary.findings.steps
    assert found is not None
    assert found.steps == len(steps)
    assert found.checked == found.inferred == sum(step["judged_by"] == "openai/checker" for step in steps)
    for record in lab.records:
        text = record["source_paper"]["text"]
        assert all(step["quote"] in (None, text[step["start"] : step["end"]]) for step in record["steps"])


def test_a_killed_check_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=2) as lab:
        lab.run(check_steps=True, max_calls=17)
        lab.run(check_steps=True)
        assert lab.calls == 2 * 9
        assert repeated(lab) == 0


def test_unreadable_verdicts_leave_the_trace_as_it_is(tmp_path: Path) -> None:
    def mute(asked: Asked) -> Any:
        return "I would rather not." if asked.stage == "steps" else scientist.steps(asked)

    with laboratory(tmp_path, texts=1, stages={"steps": mute}) as lab:
        finished = lab.run(check_steps=True)
        assert finished.summary.traces == {"accepted": 1}
        [record] = lab.records
        assert not any("reason" in step for step in record["steps"])


def test_a_model_without_the_check_is_a_mistake(lab: Lab) -> None:
    with pytest.raises((UserError, ValueError), match="add --check-steps"):
        lab.settings(check_model="openai/checker")
