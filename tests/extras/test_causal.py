"""Invariants of the causal check (`programs.extras.causal`): traces made again from an altered passage.

1. Which units are checked is fixed by key and seed; a higher rate checks the same ones and more.
2. Everything from the context on is asked again about the altered passage, for the same question, with keys of its own,
   deeper than any stage of a trace, its cost apart; the normal trace is untouched.
3. A trace that takes its numbers from the passage follows, one that does not is ignored or unclear: by numbers alone.
4. Where nothing can be altered, or a stage gives nothing, there is no outcome; what was not answered is asked again later.
5. Only accepted traces are checked, and after what is not kept was turned down.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from programs.asking.plan import Ask
from programs.extras.blind_solve import BlindSolver, SolveRules
from programs.extras.causal import CausalRules
from programs.extras.extras import Extras
from programs.stages.seeded import SeededStages
from programs.units.unit import Unit, UnitKey
from tests.making import TEXT, Answers, good_output, made_of, unread

ALWAYS = Extras(causal=CausalRules(1.0))
REMADE = ["context", "hypotheses", "evidence", "critique", "perspective", "trace", "answer"]


def reading(ask: Ask) -> dict[str, Any]:
    """An answer that takes its number from the passage that it is shown."""
    [galaxies] = re.findall(r"measurements of (\d+) galaxies", str(ask.inputs["passage"]))
    return {"text": f"It rests on {galaxies} galaxies alone, and the lamps leave the calibration open."}


def reciting(_ask: Ask) -> dict[str, Any]:
    return {"text": "It rests on 107 galaxies alone, and the lamps leave the calibration open."}


def only(answers: Answers, **wishes: Any) -> Unit:
    [unit] = made_of(answers, **{"extras": ALWAYS, **wishes}).units
    return unit


def test_which_units_are_checked_is_fixed_and_grows_with_the_rate() -> None:
    keys = [UnitKey(f"{number:016x}", "mechanism", number % 3) for number in range(4000)]
    chosen = {rate: {key for key in keys if CausalRules(rate).chosen(key)} for rate in (0.0, 0.1, 0.5, 1.0)}
    assert chosen[0.0] == set()
    assert chosen[0.1] < chosen[0.5] < chosen[1.0] == set(keys)
    assert len(chosen[0.1]) == pytest.approx(400, abs=80)
    assert chosen[0.5] != {key for key in keys if CausalRules(0.5, seed=1).chosen(key)}


@pytest.mark.parametrize(("answer", "outcome"), [(reading, "followed"), (reciting, "ignored")])
def test_a_trace_that_reads_follows_and_one_that_recites_does_not(answer: Any, outcome: str) -> None:
    unit = only(Answers(answer=answer))
    found = unit.record().causal_check
    assert found is not None
    assert (found.kind, found.old, found.new, found.outcome) == ("number", "107", "203", outcome)
    assert [TEXT[place : place + 3] for place in found.places] == ["107"]
    assert (found.old_found, found.new_found) == (outcome == "ignored", outcome == "followed")
    assert found.final_answer is not None
    assert ("203" in found.final_answer) == (outcome == "followed")
    assert "107" in unit.record().final_answer


def test_a_trace_that_then_says_neither_is_unclear() -> None:
    def silent(ask: Ask) -> dict[str, Any]:
        return good_output(ask) if ask.purpose else reading(ask)

    found = only(Answers(answer=silent)).record().causal_check
    assert found is not None
    assert (found.outcome, found.old_found, found.new_found) == ("unclear", False, False)


def test_all_stages_are_asked_again_apart_from_the_trace() -> None:
    answers = Answers(answer=reading)
    unit = only(answers)
    plain = Answers(answer=reading)
    [untouched] = made_of(plain).units
    assert [ask.key for ask in answers.asked[: len(plain.asked)]] == [ask.key for ask in plain.asked]
    again = answers.asked[len(plain.asked) :]
    assert [ask.stage for ask in again] == REMADE
    assert {ask.account for ask in again} == {f"causal: {stage}" for stage in REMADE}
    assert all("/altered-0-" in ask.key and ask.sample == unit.key.sample for ask in again)
    assert min(ask.depth for ask in again) > max(ask.depth for ask in plain.asked)
    assert all("203 galaxies" in ask.inputs["passage"] and "107" not in ask.inputs["passage"] for ask in again)
    assert {ask.inputs["question"] for ask in again} == {unit.question.text}
    record, before = unit.record(), untouched.record()
    assert record.model_copy(update={"causal_check": None, "generation": None}) == before.model_copy(
        update={"generation": None}
    )
    assert record.generation is not None
    assert record.generation.stages["causal"]["calls"] == len(REMADE)


def test_where_nothing_can_be_altered_there_is_no_outcome_and_no_call() -> None:
    answers = Answers()
    unit = only(answers, text="The scatter of the targets is there. Nobody knows why. Dust is everywhere in the dome.")
    found = unit.record().causal_check
    assert found is not None
    assert (found.outcome, found.old) == (None, None)
    assert "could be altered" in (found.reason or "")
    assert not any(ask.purpose for ask in answers.asked)
    assert unit.settled


@pytest.mark.parametrize("stage", REMADE)
def test_a_stage_that_gives_nothing_leaves_it_open_for_a_later_run(stage: str) -> None:
    def lost(ask: Ask) -> Any:
        return unread() if ask.purpose else (reading if stage == "answer" else good_output)(ask)

    unit = only(Answers(**{"answer": reading, stage: lost}))
    found = unit.record().causal_check
    assert found is not None
    assert (unit.status, unit.settled) == ("accepted", False)
    assert (found.outcome, found.old) == (None, "107")
    assert found.reason == f"{stage}: the server is gone"


def test_variations_are_checked_apart() -> None:
    answers = Answers(answer=lambda ask: {"text": f"{reading(ask)['text']} Variation {ask.key[-12:]}."})
    made = made_of(answers, extras=ALWAYS, variations=3)
    assert [unit.attempts[-1].causal_check is not None for unit in made.units] == [True] * 3
    assert len({ask.key for ask in answers.asked}) == len(answers.asked)


def test_what_is_not_kept_is_not_checked() -> None:
    rules = SolveRules(1, "solver", "comparer", keep=("known",))
    answers = Answers(answer=reading)
    unit = only(answers, extras=Extras(blind=BlindSolver(rules), causal=CausalRules(1.0)))
    assert unit.status == "rejected"
    assert not any(ask.purpose for ask in answers.asked)


def test_a_seeded_trace_is_made_again_with_a_seeded_error() -> None:
    extras = Extras(seeded=SeededStages(), causal=CausalRules(1.0))
    answers = Answers(answer=reading)
    unit = only(answers, extras=extras)
    found = unit.record().causal_check
    assert found is not None
    assert found.outcome == "followed"
    [again] = [ask for ask in answers.asked if ask.purpose and ask.stage == "trace"]
    assert again.output == "mended"
