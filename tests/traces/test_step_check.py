"""Invariants of the step check (`--check-steps`) and of what a record holds of it (`programs.traces.trials`).

1. Without it no step has a quote, a status, or anything else than its kind and text.
2. With it each accepted trace costs one call more, to the model that is named, about all its steps. A resumed run repeats
   none; added later, it fills in what is there.
3. Each quote is cut from the passage at its place.
4. A verdict that names no sentence of the passage, or contradicts another on the same step, is none; so is that of a reply
   that could not be read. The step then has none.
5. The summary counts the steps of accepted traces over all runs.
"""

from typing import Any

import pytest

from programs.records import StepRecord
from programs.stages.steps import verdicts_in
from programs.traces.trials import STEPS
from programs.traces.variation import Variation
from tests.making import Answers, answered, only, passage, thought

CHECKING: dict[str, Any] = {"check_steps": True, "check_model": "checker"}


def verdict(step: int, status: str = "supported", sentence: int = 2) -> dict[str, Any]:
    return {"step": step, "sentence": sentence, "reason": "It says the same.", "status": status}


def steps_of(variation: Variation) -> list[StepRecord]:
    """The steps of the unit's record, each held to what every record promises."""
    record = variation.record()
    text = record.source_paper.text
    assert text is not None
    for step in record.steps:
        assert (step.quote is None) == (step.start is None) == (step.end is None)
        assert step.quote is None or step.quote == text[step.start : step.end]
    return record.steps


def checked(items: list[dict[str, Any]]) -> Variation:
    """A trace of whose steps the model says so."""
    answers = Answers(trace=lambda _ask: thought().model_dump(), steps=lambda _ask: {"items": items})
    return only(answers, **CHECKING)


def test_one_call_asks_about_all_steps() -> None:
    answers = Answers()
    variation = only(answers, **CHECKING)
    [ask] = [ask for ask in answers.asked if ask.stage == "steps"]
    assert (ask.judge, ask.key) == ("checker", f"steps/{variation.key}.0/checker")
    assert set(ask.inputs) == {"passage", "steps"}
    steps = steps_of(variation)
    assert str(ask.inputs["steps"]).splitlines() == [f"{n}. {step.text}" for n, step in enumerate(steps, start=1)]
    assert {step.judged_by for step in steps} == {"stand-in"}
    generation = variation.record().generation
    assert generation is not None
    assert generation.calls == 8 + 1


def test_what_the_model_says_stands_in_the_record() -> None:
    said = [("no_claim", 0), ("outside", 0), ("supported", 2), ("inferred", 3), ("contradicted", 4)]
    steps = steps_of(checked([verdict(number, *one) for number, one in enumerate(said, start=1)]))
    assert [step.status for step in steps[:5]] == [None, "outside", "supported", "inferred", "contradicted"]
    assert {(step.judged_by, step.reason) for step in steps[:5]} == {("stand-in", "It says the same.")}
    quotes = [passage().quoted(number)["quote"] for number in (2, 3, 4)]
    assert [step.quote for step in steps[:5]] == [None, None, *quotes]
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
    variation = checked(items)
    assert (variation.status, variation.settled) == ("accepted", True)
    assert {step.judged_by for step in steps_of(variation)} == {None}


def test_what_is_wrong_with_a_reply_is_said() -> None:
    ask = STEPS.ask(passage(), ["A.", "B,\nand C."], "n", "m")
    assert ask.inputs["steps"] == "1. A.\n2. B, and C."
    assert answered(ask, {"items": [verdict(1), verdict(2, "outside", 0)]}).status == "ok"
    faulty = answered(ask, {"items": [verdict(1, "inferred", 9), verdict(1)]})
    assert len(faulty.problems) == 3, "no verdict on step 2, two on step 1, and no sentence 9"
    twice = answered(ask, {"items": [verdict(1), verdict(1)]})
    assert list(verdicts_in(twice, 2, 4)) == [1]
