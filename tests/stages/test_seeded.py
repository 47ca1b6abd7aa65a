"""Invariants of stage 4 with `--seed-error`: a wrong step that is given, found and taken back.

1. The steps are fixed by the draft's name and the seed; one is made from a misconception of stage 2 that the passage does
   not say, the others are claims of verified evidence. Without either there is no seeded trace: its unit is rejected.
2. The model is not told which is wrong: no input names the misconceptions, none lists some of the steps and not others, and
   what it is told of a failed try has neither number nor text of a step.
3. Refused, with the reason: another number, a wrong turn that is another step, a part that takes nothing back; then an
   answer that says the error again. What is refused is asked again, as in other stages.
4. The record names the step, its text, and where it was taken back; places are those of the record's steps.
5. Drafts with a seeded error have keys of their own; without the option nothing is asked otherwise.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.calling import Caller
from programs.asking.plan import Ask, StageFailed, drive
from programs.checks.wrong_step import carried
from programs.extras.extras import Extras
from programs.stages.seeded import MARK, GivenSteps, SeededStages, given_steps, mending_problems
from programs.stages.strands import Analysed
from programs.stages.trace import Draft, Spot
from programs.units.decision import QualityRules
from programs.units.unit import Unit
from signatures.trace_with_error import MendedThought
from tests.making import Answers, analysed, good_output, made_of, passage, question, thought, tracer

ERROR = "Scatter alone decides the outcome."
GIVEN = GivenSteps(("The scatter grows towards fainter targets.", ERROR), 2, f"That {ERROR.lower()}")
SPOT = Spot(0, 0, 0.7, MARK)
SEEDED = Extras(seeded=SeededStages())


def mended(**parts: Any) -> MendedThought:
    made = {
        **thought().model_dump(),
        "wrong_turn": "Perhaps scatter alone decides the outcome, and nothing else about the targets matters.",
        "correction": "So I was wrong there: scatter cannot do it alone, since removing the neighbours changes little.",
        "wrong_step": 2,
        "mended_in": "correction",
    }
    return MendedThought.model_validate({**made, **parts})


def with_misconceptions(*misconceptions: str) -> Analysed:
    found = analysed()
    analysis = found.analysis.model_copy(update={"misconceptions": list(misconceptions)})
    return dataclasses.replace(found, analysis=analysis)


def drafted(answers: Answers, found: Analysed | None = None) -> Draft:
    plan = SeededStages().plan(tracer().writer, passage(), question(), found or analysed(), SPOT)
    return drive(plan, answers)


def test_the_steps_are_fixed_by_name_and_one_of_them_is_the_misconception() -> None:
    found = with_misconceptions(
        "Assuming that lamps decide the outcome", "Misreading it", "That dust dims every target"
    )
    seen = {given_steps(f"0/{number}", passage(), found) for number in range(40)}
    assert None not in seen
    kept = [steps for steps in seen if steps is not None]
    assert {steps.error for steps in kept} == {"Lamps decide the outcome.", "Dust dims every target."}
    assert {steps.wrong for steps in kept} == {1, 2, 3}
    claims = {f"{item.claim.rstrip('.')}." for item in found.evidence}
    assert all(set(steps.steps) - {steps.error} <= claims for steps in kept)
    assert given_steps("0/7", passage(), found) == given_steps("0/7", passage(), found)


@pytest.mark.parametrize(
    "misconceptions",
    [
        ["Misreading it"],
        ["That the scatter between repeated exposures amounts to 9 percent and grows towards fainter targets."],
    ],
    ids=["no statement", "the passage says so"],
)
def test_without_a_usable_misconception_there_is_no_seeded_trace(misconceptions: list[str]) -> None:
    answers = Answers()
    with pytest.raises(StageFailed, match="can be made a wrong step") as caught:
        drafted(answers, with_misconceptions(*misconceptions))
    assert caught.value.final
    assert answers.asked == []


def test_no_input_names_the_misconceptions() -> None:
    answers = Answers()
    found = analysed()
    draft = drafted(answers, found)
    [ask, _] = answers.asked
    assert draft.seeded is not None
    assert ask.inputs["analysis"].misconceptions == []
    assert found.analysis.misconceptions == [draft.seeded.misconception]
    assert ask.inputs["steps"].count("\n") == len(draft.seeded.given_steps) - 1
    told = " ".join(str(value) for name, value in ask.inputs.items() if name != "steps")
    assert draft.seeded.misconception not in told


def test_no_input_but_the_steps_has_any_of_them() -> None:
    found = analysed()
    for seed in range(8):
        answers = Answers()
        plan = SeededStages(seed).plan(tracer().writer, passage(), question(), found, SPOT)
        draft = drive(plan, answers)
        assert draft.seeded is not None
        inputs = answers.asked[0].inputs
        shown = [f"{item.claim.strip().rstrip('.')}." for item in inputs["evidence"]]
        assert not set(shown) & set(draft.seeded.given_steps)
        assert len(shown) + len(draft.seeded.given_steps) == len(found.quoted()) + 1, "and nothing else is left out"


@given(wrong_step=st.integers(1, 3), parts=st.sets(st.sampled_from(["wrong_turn", "correction", "conclusion"])))
def test_what_a_failed_try_is_told_does_not_name_the_step(wrong_step: int, parts: set[str]) -> None:
    error = f"In the end {ERROR.lower()}"
    for problem in mending_problems(mended(wrong_step=wrong_step, **dict.fromkeys(parts, error)), GIVEN):
        assert not any(sign.isdigit() for sign in problem)
        assert carried(ERROR, problem) == 0
        assert wrong_step == 2 or problem.startswith("wrong_step: ")


def test_a_thought_that_finds_and_mends_it_has_no_problems() -> None:
    assert mending_problems(mended(), GIVEN) == []


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"wrong_step": 1}, "wrong_step: that is not the wrong one"),
        ({"wrong_turn": "I see at once that scatter alone never decides the outcome of such a thing."}, "wrong_turn: "),
        ({"correction": "That is not wrong: scatter decides it, as the neighbours confirm."}, "correction: does"),
        (
            {"conclusion": "After all scatter alone decides the outcome, exactly as I said at first."},
            "conclusion: says",
        ),
        ({"wrong_turn": "Perhaps the lamps were on all night, and so the calibration holds."}, "wrong_turn: "),
        ({"mended_in": "doubt"}, "doubt: does not take the wrong step back"),
        ({"correction": "The scatter and the neighbours are both known to within a few percent."}, "correction: does"),
    ],
)
def test_a_thought_that_does_not_is_refused(parts: dict[str, Any], reason: str) -> None:
    found = mending_problems(mended(**parts), GIVEN)
    assert len(found) == 1
    assert found[0].startswith(reason)


def test_a_conclusion_may_say_the_error_to_take_it_back_but_not_after_that() -> None:
    said = f"I said that {ERROR.lower()[:-1]}. That is wrong, for the neighbours were removed."
    assert mending_problems(mended(mended_in="conclusion", conclusion=said), GIVEN) == []
    [problem] = mending_problems(mended(mended_in="conclusion", conclusion=f"{said} After all {ERROR.lower()}"), GIVEN)
    assert problem.startswith("conclusion: says")


def test_the_record_names_the_step_and_where_it_was_taken_back() -> None:
    draft = drafted(Answers())
    found = draft.seeded
    assert found is not None
    assert found.given_steps[found.given_as - 1] == found.text
    steps = draft.thought.steps()
    assert steps[found.wrong_step][0] == "wrong_turn"
    assert steps[found.corrected_step][0] == found.corrected_in == "correction"
    assert found.corrected_step > found.wrong_step
    assert found.carried == round(carried(found.text, steps[found.wrong_step][1]), 3) >= 0.5
    assert found.tries == 1


def test_what_is_refused_is_asked_again_with_the_reason_and_then_rejected() -> None:
    """Through the real tries, over a predictor that never finds the step."""
    told: list[str] = []

    class Blind:
        lm = None

        def __init__(self, ask: Ask) -> None:
            self.ask, self.signature, self.config = ask, ask.predict.signature, dict[str, Any]()

        def __call__(self, **arguments: Any) -> Any:
            told.append(arguments.get("feedback", ""))
            output = good_output(self.ask)
            wrong = 1 + output["wrong_step"] % 3
            return type("Said", (), {self.ask.output: self.ask.read({**output, "wrong_step": wrong})})

    def answer(ask: Ask) -> Any:
        return Caller().answer(dataclasses.replace(ask, predict=Blind(ask)))

    with pytest.raises(StageFailed, match="is not the wrong one") as caught:
        drive(SeededStages().plan(tracer().writer, passage(), question(), analysed(), SPOT), answer)
    assert caught.value.final
    assert [text.count("is not the wrong one") for text in told] == [0, 1, 1]


def test_an_answer_that_repeats_the_error_is_refused() -> None:
    def answer(ask: Ask) -> dict[str, Any]:
        error = SEEDED.seeded and given_steps(f"0/{ask.key.removeprefix('answer/')}", passage(), analysed())
        assert error
        return {"text": f"{error.error} That is what the measured amplitude of these targets shows in the end."}

    with pytest.raises(StageFailed, match="says what was found to be wrong"):
        drafted(Answers(answer=answer))


def test_units_carry_it_and_their_keys_are_their_own() -> None:
    answers = Answers()
    made = made_of(answers, extras=SEEDED, quality=QualityRules(check=True, judges=("a",)), grader="g")
    [unit] = made.units
    record = unit.record()
    assert record.seeded_error is not None
    assert record.steps[record.seeded_error.wrong_step].move == "wrong_turn"
    later = [ask.key for ask in answers.asked if ask.depth >= 3]
    assert len(later) == 4
    assert all(f".0{MARK}" in key for key in later)
    plain = Answers()
    [unit] = made_of(plain).units
    assert unit.record().seeded_error is None
    assert not any(MARK in ask.key for ask in plain.asked)


def test_a_unit_without_a_usable_misconception_is_rejected_for_good() -> None:
    def context(ask: Ask) -> dict[str, Any]:
        return {**good_output(ask), "misconceptions": ["Misreading it"]}

    [unit] = made_of(Answers(context=context), extras=SEEDED).units
    assert isinstance(unit, Unit)
    assert (unit.status, unit.settled) == ("rejected", True)
    assert unit.reason == "no error to seed: no misconception of the context analysis can be made a wrong step"
