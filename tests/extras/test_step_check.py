"""Invariants of evidence per step (`programs.units.step_records`) and of the step check (`--check-steps`).

1. Every step of every record has its evidence by rule, without a call; each place, cut from the passage, is the quote.
2. With --check-steps each accepted trace costs one call more, to the model that is named, and without it nothing is asked
   otherwise. A resumed run repeats none; added later, it fills in what is there.
3. A step of which every claim stands in the passage word for word is not asked about, and no other. A model's
   verdict goes before the rules' status, and what they hold against the step stays.
4. A verdict that names no sentence of the passage, or contradicts another on the same step, is none; so is that of a reply
   that could not be read. The step then keeps what the rules say.
5. The summary counts the steps of accepted traces over all runs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from signatures.trace import Thought

from programs.asking.plan import Ask, Reply
from programs.checks.step_evidence import StepEvidence
from programs.errors import UserError
from programs.extras.extras import Extras
from programs.extras.step_checker import StepChecker, steps_to_check
from programs.journals.findings import StepFindings, findings_in, in_words_of, of_line
from programs.records import Record, StepRecord
from programs.running.dry_run import calls_of
from programs.stages.steps import StepToCheck, verdicts_in
from programs.units.decision import QualityRules
from programs.units.step_records import step_records
from programs.units.unit import Unit
from signatures.step_check import MOST_STEPS, StepVerdict
from tests.lab import Lab, laboratory
from tests.making import VERDICT, Answers, answered, draft, made_of, passage, sample, thought, unread
from tests.running.test_resume import repeated
from tests.standin import scientist
from tests.standin.scientist import Asked

SECOND = "The scatter between repeated exposures amounts to 9 percent and grows towards fainter targets."
DOUBT = "But wait, the scatter between repeated exposures shrinks towards fainter targets, by 8 percent."
CHECKING = Extras(checker=StepChecker("checker"))


def verdict(step: int, status: str = "supported", sentence: int = 2) -> dict[str, Any]:
    return {"step": step, "sentence": sentence, "reason": "It says the same.", "status": status}


def thinking(**parts: Any) -> Any:
    return lambda _ask: thought(**parts).model_dump()


def only(answers: Answers | None = None, **wishes: Any) -> Unit:
    [unit] = made_of(answers or Answers(trace=thinking()), **wishes).units
    return unit


def steps_of(unit: Unit) -> list[StepRecord]:
    """The steps of the unit's record, each held to what every record promises."""
    record = unit.record()
    text = record.source_paper.text
    assert text is not None
    for step in record.steps:
        assert (step.quote is None) == (step.start is None) == (step.end is None) == (step.method is None)
        assert step.quote is None or step.quote == text[step.start : step.end]
    return record.steps


def test_every_step_has_its_evidence_without_a_call() -> None:
    answers = Answers(trace=thinking(doubt=DOUBT, conclusion=SECOND))
    steps = {step.move: step for step in steps_of(only(answers))}
    assert answers.count("steps") == 0
    doubt, conclusion = steps["doubt"], steps["conclusion"]
    assert (doubt.quote, doubt.status, doubt.judged_by, doubt.method) == (SECOND, "contradicted", "rule", "words")
    assert doubt.conflict == 'claim: "shrinks", quote: "grows"'
    assert doubt.unfound_numbers == ["8 percent"]
    assert (conclusion.quote, conclusion.status, conclusion.judged_by) == (SECOND, "supported", "rule")
    assert (conclusion.method, conclusion.similarity, conclusion.conflict) == ("exact", 100.0, None)
    assert {steps["wrong_turn"].status, steps["wrong_turn"].judged_by} == {None}


def test_numbers_of_the_passage_that_the_quote_has_not_are_named() -> None:
    def found(text: str) -> StepRecord:
        return {step.move: step for step in steps_of(only(Answers(trace=thinking(doubt=text))))}["doubt"]

    assert found(DOUBT).unquoted_numbers == [], "8 percent stands nowhere"
    [galaxies] = re.findall(r"measurements of (\d+) galaxies", passage().sample.text)
    other = found(f"The scatter between repeated exposures grows towards {galaxies} targets, by 9 percent and 8.5 mag.")
    assert (other.quote, other.unfound_numbers, other.unquoted_numbers) == (SECOND, ["8.5 mag"], [galaxies])


def test_the_measures_count_them() -> None:
    found = only(Answers(trace=thinking(doubt=DOUBT, conclusion=SECOND))).record()
    quoted = sum(step.quote is not None for step in found.steps)
    assert (found.metadata.steps_quoted, found.metadata.steps_contradicted, found.metadata.numbers_unfound) == (
        quoted,
        1,
        1,
    )


def test_records_of_older_versions_load() -> None:
    record = only().record().model_dump(mode="json")
    record["steps"] = [{"move": "opening", "text": "I am asked about it."}]
    assert Record.model_validate(record).steps[0].quote is None
    assert of_line({"record": record, "status": "accepted"}) == {}


def test_a_thought_has_no_more_steps_than_can_be_checked() -> None:
    fields = Thought.model_fields
    lists = [fields[name].metadata for name in ("opening", "weighing")]
    most = sum(max(getattr(bound, "max_length", 0) for bound in bounds) for bounds in lists) + len(fields) - 2
    assert most <= MOST_STEPS


def test_one_call_asks_about_all_steps_that_are_not_settled() -> None:
    answers = Answers(trace=thinking(conclusion=SECOND))
    unit = only(answers, extras=CHECKING)
    [ask] = [ask for ask in answers.asked if ask.stage == "steps"]
    assert (ask.judge, ask.key) == ("checker", f"steps/{unit.key}.0/checker")
    assert set(ask.inputs) == {"passage", "steps"}
    lines = str(ask.inputs["steps"]).splitlines()
    assert [line.split(".")[0] for line in lines] == ["1", "2", "3", "4", "5"]
    assert not any(SECOND in line for line in lines)
    assert "(compare [2]" in lines[3]
    steps = steps_of(unit)
    assert {step.judged_by for step in steps[:5]} == {"stand-in"}
    assert (steps[5].status, steps[5].judged_by) == ("supported", "rule")
    generation = unit.record().generation
    assert generation is not None
    assert (generation.models["steps"], generation.stages["steps"]["calls"]) == ("stand-in", 1)


def test_a_models_verdict_goes_first_and_the_conflict_stays() -> None:
    items = [
        verdict(1, "no_claim", 0),
        verdict(2, "outside", 0),
        verdict(3, "supported"),
        verdict(4, "inferred", 3),
        verdict(5, "contradicted", 4),
    ]
    answers = Answers(trace=thinking(doubt=DOUBT), steps=lambda _ask: {"items": [*items, verdict(6)]})
    steps = steps_of(only(answers, extras=CHECKING))
    assert [step.status for step in steps] == [None, "outside", "supported", "inferred", "contradicted", "supported"]
    assert {step.judged_by for step in steps} == {"stand-in"}
    assert {step.reason for step in steps} == {"It says the same."}
    assert [step.quote for step in steps[:2]] == [None, None]
    doubt, correction = steps[2], steps[3]
    assert (doubt.quote, doubt.method, doubt.conflict) == (SECOND, "words", 'claim: "shrinks", quote: "grows"')
    assert doubt.unfound_numbers == ["8 percent"]
    assert (correction.quote, correction.method) == (passage().sentence(3), "model")
    assert (correction.claim, correction.similarity) == (None, None)


@pytest.mark.parametrize(
    "items",
    [
        [verdict(3, "supported", 0)],
        [verdict(3, "supported", 5)],
        [verdict(3, "supported"), verdict(3, "contradicted")],
        [verdict(7)],
    ],
)
def test_a_verdict_that_cannot_stand_is_none_and_the_rules_stay(items: list[dict[str, Any]]) -> None:
    answers = Answers(trace=thinking(doubt=DOUBT), steps=lambda _ask: {"items": items})
    unit = only(answers, extras=CHECKING)
    steps = steps_of(unit)
    assert (unit.status, unit.settled) == ("accepted", True)
    assert (steps[2].status, steps[2].judged_by, steps[2].reason) == ("contradicted", "rule", None)


def test_what_is_wrong_with_a_reply_is_said() -> None:
    ask = StepChecker("m").stage.ask(passage(), [StepToCheck(1, "A.", []), StepToCheck(3, "B.", [2])], "n", "m")
    assert ask.inputs["steps"] == "1. A.\n3. B. (compare [2])"
    assert answered(ask, {"items": [verdict(1), verdict(3, "outside", 0)]}).status == "ok"
    faulty = answered(ask, {"items": [verdict(1, "inferred", 9), verdict(1)]})
    assert faulty.problems == [
        "there is no verdict on step 3",
        "step 1 has several verdicts",
        "step 1 is inferred by sentence 9; name one from 1 to 4",
    ]
    assert verdicts_in(faulty, [1, 3], 4) == {}
    twice = answered(ask, {"items": [verdict(1), verdict(1)]})
    assert list(verdicts_in(twice, [1, 3], 4)) == [1]


def test_a_check_that_was_not_answered_is_asked_again_later() -> None:
    unit = only(Answers(steps=lambda _ask: unread()), extras=CHECKING)
    assert (unit.status, unit.settled) == ("accepted", False)
    assert {step.reason for step in steps_of(unit)} == {None}
    given_up = Reply(status="unread", problems=["cut"])
    assert verdicts_in(given_up, [1], 4) == {}


def test_only_accepted_traces_are_checked() -> None:
    answers = Answers(judge=lambda _ask: {**VERDICT, "overall": 2})
    unit = only(answers, extras=CHECKING, quality=QualityRules(check=True, judges=("a",), max_attempts=1))
    assert unit.status == "rejected"
    assert answers.count("steps") == 0


def test_nothing_is_asked_where_every_step_is_settled() -> None:
    made = draft(Answers(trace=thinking()))
    settled = [StepEvidence(status="supported") for _ in made.thought.steps()]
    assert steps_to_check(made, passage(), settled) == []


def test_a_step_that_only_begins_with_the_passage_is_asked_about() -> None:
    more = f"{SECOND} Therefore the drug cures every patient on earth at once."
    answers = Answers(trace=thinking(doubt=more, conclusion=SECOND))
    only(answers, extras=CHECKING)
    [ask] = [ask for ask in answers.asked if ask.stage == "steps"]
    lines = str(ask.inputs["steps"]).splitlines()
    assert any("cures every patient" in line for line in lines)
    assert len(lines) == 5
    [by_rule] = [step for step in steps_of(only(Answers(trace=thinking(doubt=more)))) if step.move == "doubt"]
    assert (by_rule.quote, by_rule.status, by_rule.judged_by) == (SECOND, None, None)


def test_a_verdict_on_part_of_a_quoted_sentence_keeps_the_quote() -> None:
    made = draft(Answers(trace=thinking()))
    text = sample().text
    start = text.index("amounts to 9 percent")
    part = StepEvidence("It is.", start, start + 20, "exact", 100.0)
    found = [part, *(StepEvidence() for _ in made.thought.steps()[1:])]
    steps = step_records(made, passage(), found, {1: StepVerdict.model_validate(verdict(1))}, "m")
    assert (steps[0].quote, steps[0].method, steps[0].status) == ("amounts to 9 percent", "exact", "supported")


def test_runs_cost_what_the_dry_run_says_and_repeat_nothing(lab: Lab) -> None:
    finished, calls = lab.counted(traces_per_question=2)
    before = {record["id"]: record["reasoning_trace"] for record in lab.records}
    assert finished.summary.findings.steps is not None
    assert finished.summary.findings.steps.checked_by_model == 0
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
    assert found.checked_by_model == found.inferred == sum(step["judged_by"] == "openai/checker" for step in steps)
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
        assert {step["reason"] for step in record["steps"]} == {None}


def test_a_model_without_the_check_is_a_mistake(lab: Lab) -> None:
    with pytest.raises((UserError, ValueError), match="add --check-steps"):
        lab.settings(check_model="openai/checker")


def test_the_findings_add_up_and_read_well() -> None:
    unit = only(Answers(trace=thinking(doubt=DOUBT, conclusion=SECOND)), extras=CHECKING)
    record = unit.record().model_dump(mode="json")
    counts = of_line({"record": record, "status": "accepted"})
    assert of_line({"record": record, "status": "rejected"}) == {}
    found = findings_in(counts + counts).steps
    assert found == StepFindings(
        steps=12,
        quoted=12,
        supported=2,
        inferred=10,
        outside=0,
        contradicted=0,
        conflicts=2,
        with_unfound_numbers=2,
        unfound_numbers=2,
        with_unquoted_numbers=0,
        checked_by_model=10,
    )
    [(name, words)] = in_words_of(findings_in(counts))
    assert name == "steps"
    assert words.startswith("6 of 6 with a quote, 0 contradicted; 1 supported, 5 inferred, 0 from outside")
    assert words.endswith("1 numbers in 1 steps stand nowhere in the text")


def test_asks_are_read_by_the_stage() -> None:
    def none_left(ask: Ask) -> Any:
        assert ask.stage == "steps"
        return {"items": [verdict(number) for number in range(1, 7)]}

    steps = steps_of(only(Answers(trace=thinking(), steps=none_left), extras=CHECKING))
    assert {step.status for step in steps} == {"supported"}
