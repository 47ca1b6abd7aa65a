"""Invariants of a model's own thoughts (`programs.traces.own_thoughts`).

1. Closed, the model gets the question and nothing else; open, the passage before it. Never a note, a field or a form.
2. A try is taken only where its answer agrees with the grounded one; no more than K are made, none after the one taken.
3. Tries that came to another answer are attempts that were turned down; a try without a thought, or unusable, is none.
4. The thought is what came as reasoning, whole, its paragraphs the steps, of no kind.
5. No own thought without a grounded answer; written traces are what they are without own ones.
6. Both kinds have units of their own, and the budget counts each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from programs.asking.plan import Ask, Reply
from programs.traces.decision import QualityRules
from programs.traces.extras import Extras
from programs.traces.own_thoughts import OWN, UNREASONED, OwnRules, OwnThinker
from programs.traces.unit import Known, Unit, UnitKey
from programs.traces.unit_line import attempts_of, unit_line
from signatures.vocabulary import Agreement
from tests.making import TEXT, VERDICT, Answers, made_of, passage, unread

THOUGHT = (
    "So the scatter is 9 percent.\n\nHmm, wait. That grows for the faint ones.\n\nFine, then it biases the amplitude."
)
ANSWER = "The scatter grows towards fainter targets, so their noise leaks into the amplitude and biases it upwards."


def thinking(tries: int = 4, *, both: bool = False) -> Extras:
    return Extras(own=OwnThinker(OwnRules(tries, "comparer", both)))


def number_of(ask: Ask) -> int:
    """Which try an ask is about."""
    name = next(part for part in ask.key.split("/") if "-model." in part)
    return int(name.partition(".")[2])


def own(reasoning: str | None = THOUGHT, answer: str = ANSWER) -> Any:
    def replied(ask: Ask) -> Reply:
        text = f"{answer} That is try {number_of(ask)}."
        thought = None if reasoning is None else f"{reasoning}\n\nTry {number_of(ask)}."
        return Reply(status="ok", output=text, reasoning=thought, model="reasoner", temperature=ask.temperature)

    return replied


TRIES = own()
"""A model that reasons at every try."""


def comparing(*found: Agreement) -> Any:
    """What the comparer finds of each try; the last of all others."""

    def compare(ask: Ask) -> dict[str, Any]:
        agreement = found[min(number_of(ask), len(found) - 1)]
        return {"reason": "They make this and that claim.", "agreement": agreement}

    return compare


def thought_of(
    *found: Agreement, extras: Extras | None = None, own: Any = TRIES, **wishes: Any
) -> tuple[Unit, Answers]:
    """The one unit with an own thought, and what was asked for it."""
    answers = Answers(own=own, compare=comparing(*(found or ("equivalent",))), **wishes.pop("stages", {}))
    units = made_of(answers, extras=extras or thinking(), **wishes).units
    [unit] = [unit for unit in units if unit.key.thought == "model"]
    return unit, answers


# 1. What is asked


@pytest.mark.parametrize("setting", ["closed", "open"])
def test_the_question_is_asked_as_a_person_would(setting: Any) -> None:
    unit, answers = thought_of(setting=setting)
    [ask] = [ask for ask in answers.asked if ask.stage == "own"]
    expected = {"question": unit.question.text}
    assert ask.inputs == (expected if setting == "closed" else {"passage": TEXT, **expected})
    assert not ask.feedback


# 2. What is taken


@pytest.mark.parametrize(
    ("found", "asked", "status"),
    [
        (["equivalent"], 1, "accepted"),
        (["partial", "contradicts", "equivalent"], 3, "accepted"),
        (["partial", "partial", "partial", "equivalent"], 4, "accepted"),
        (["contradicts"], 4, "rejected"),
        (["contradicts", "partial", "contradicts", "partial", "equivalent"], 4, "rejected"),
    ],
)
def test_a_try_is_taken_only_on_agreement_and_there_are_at_most_k(
    found: Sequence[Agreement], asked: int, status: str
) -> None:
    unit, answers = thought_of(*found)
    assert (unit.status, answers.count("own"), answers.count("compare")) == (status, asked, asked)
    agreements = [attempt.agreed.agreement for attempt in unit.attempts if attempt.agreed]
    assert agreements == list(found)[:asked] if len(found) > 1 else set(agreements) == set(found)
    assert [attempt.standing for attempt in unit.attempts] == [
        "accepted" if agreement == "equivalent" else "below" for agreement in agreements
    ]
    assert unit.settled


def test_the_comparison_is_with_the_grounded_answer_and_each_try_has_a_seed_of_its_own() -> None:
    unit, answers = thought_of("partial", extras=thinking(3, both=True))
    compares = [ask for ask in answers.asked if ask.stage == "compare"]
    [written] = [ask for ask in answers.asked if ask.stage == "answer"]
    assert {ask.judge for ask in compares} == {"comparer"}
    assert len({ask.inputs["reference"] for ask in compares}) == 1
    assert len({ask.key for ask in answers.asked if ask.stage in ("own", "compare")}) == 6
    [reference] = {attempt.agreed.reference for attempt in unit.attempts if attempt.agreed}
    assert reference == compares[0].inputs["reference"] in str(answers.reply(written).output)


def test_the_judges_have_a_word_too() -> None:
    def judge(ask: Ask) -> dict[str, Any]:
        return {**VERDICT, "overall": 3} if "0-model.0" in ask.key else VERDICT

    unit, answers = thought_of(quality=QualityRules(check=True, judges=("a",)), stages={"judge": judge})
    assert [attempt.standing for attempt in unit.attempts] == ["below", "accepted"]
    assert answers.count("judge") == 3


# 3. What is kept


def test_tries_that_answered_otherwise_are_kept_as_turned_down() -> None:
    unit, _ = thought_of("contradicts", "partial", "equivalent")
    kept = list(attempts_of(unit_line(unit, "", {})))
    assert [became for became, _ in kept] == ["below", "below", "accepted"]
    assert [record["agreed"]["agreement"] for _, record in kept] == ["contradicts", "partial", "equivalent"]
    assert len({record["id"] for _, record in kept}) == 3


def test_a_try_without_a_thought_is_no_trace_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    extras = thinking()
    for _ in range(2):
        unit, answers = thought_of(extras=extras, own=own(None))
        assert (unit.status, unit.attempts, answers.count("own"), answers.count("compare")) == ("rejected", [], 4, 0)
        assert unit.reason == f"{OWN}: 4 {UNREASONED}"
    assert len([record for record in caplog.records if UNREASONED in record.message]) == 1


@pytest.mark.parametrize(
    ("thought", "answer"),
    [
        ("wait " * 40, ANSWER),
        (THOUGHT, "Could you tell me which survey you mean?"),
        (THOUGHT, "As the paper shows, the scatter grows towards fainter targets and biases the amplitude."),
    ],
)
def test_a_try_that_is_unusable_is_no_attempt(thought: str, answer: str) -> None:
    def replied(ask: Ask) -> Reply:
        return own()(ask) if number_of(ask) else Reply(status="ok", output=answer, reasoning=thought, model="reasoner")

    unit, answers = thought_of(own=replied)
    assert (unit.status, len(unit.attempts), answers.count("own")) == ("accepted", 1, 2)


def test_in_the_open_setting_an_answer_may_speak_of_what_is_in_view() -> None:
    speaks = own(answer="As the text says, the scatter grows towards fainter targets and biases the amplitude.")
    assert thought_of(own=speaks, setting="open")[1].count("own") == 1


def test_what_was_not_answered_is_open_and_the_others_go_on() -> None:
    def replied(ask: Ask) -> Reply:
        return unread("the answer ran into its token limit") if number_of(ask) == 0 else own()(ask)

    unit, _ = thought_of("contradicts", own=replied)
    assert (unit.status, unit.settled, len(unit.attempts)) == ("failed", False, 3)
    unit, _ = thought_of("contradicts", "equivalent", own=replied)
    assert (unit.status, unit.settled) == ("accepted", True)


def test_a_server_that_failed_is_not_asked_further() -> None:
    gone = Reply(status="unread", problems=["gone"], fault="server", model="reasoner")
    unit, answers = thought_of(own=lambda _ask: gone)
    assert (unit.status, unit.settled, answers.count("own")) == ("failed", False, 1)


# 4. The record


def test_the_record_says_whose_thought_it_is() -> None:
    unit, _ = thought_of()
    record = unit.record()
    paragraphs = [*THOUGHT.split("\n\n"), "Try 0."]
    assert record.reasoning_trace == "<thought>\n" + "\n\n".join(paragraphs) + "\n</thought>"
    assert [(step.kind, step.text) for step in record.steps] == [(None, text) for text in paragraphs]
    assert record.final_answer == f"{ANSWER} That is try 0."
    assert (record.thought, record.shape, record.yes_or_no) == ("model", None, None)
    assert record.generation is not None
    assert record.generation.model == "reasoner"
    assert not record.generation.model_reasoning
    assert {"trace", "answer", "agreement"} < set(record.generation.models), "those of another model"
    assert "own" not in record.generation.models
    assert record.unit == str(unit.key) == f"{passage().sample.id}/{unit.question.type.value}/0-model"


def test_a_thought_in_tags_is_read_where_nothing_took_it_apart() -> None:
    reply = Reply(status="ok", output=f"<think>{THOUGHT}</think>{ANSWER}", model="reasoner")
    record = thought_of(own=lambda _ask: reply)[0].record()
    assert (record.final_answer, len(record.steps)) == (ANSWER, 3)


# 5. and 6. Beside written traces


def test_written_traces_are_what_they_are_without() -> None:
    alone = Answers()
    [written] = made_of(alone).units
    answers = Answers(own=own(), compare=comparing("equivalent"))
    units = made_of(answers, extras=thinking(both=True)).units
    assert [unit.key.thought for unit in units] == ["written", "model"]
    assert units[0].record() == written.record()
    assert [ask.key for ask in answers.asked if ask.stage not in ("own", "compare")] == [ask.key for ask in alone.asked]


@pytest.mark.parametrize("both", [False, True])
def test_each_kind_is_a_unit_of_its_own(both: bool) -> None:
    answers = Answers(own=own(), compare=comparing("equivalent"))
    units = made_of(answers, extras=thinking(both=both), variations=2, grader="any").units
    names = [unit.key.name for unit in units]
    assert names == (["0", "0-model", "1", "1-model"] if both else ["0-model", "1-model"])
    assert answers.count("grade") == len(units)
    # Equal own thoughts of two variations are one trace, as equal written ones are.
    assert [unit.key.name for unit in units if unit.status == "duplicate"] == ["1-model"]


def test_no_own_thought_without_a_grounded_answer() -> None:
    low = {**VERDICT, "overall": 2}
    rules = QualityRules(check=True, judges=("a",), max_attempts=2)
    unit, answers = thought_of(quality=rules, stages={"judge": lambda _ask: low})
    assert (unit.status, unit.reason, answers.count("own")) == ("rejected", "quality 2.0 after 2 attempts", 0)
    unit, answers = thought_of(stages={"answer": lambda _ask: unread()})
    assert (unit.status, unit.settled, answers.count("own")) == ("failed", False, 0)


def test_what_is_decided_is_not_made_again_and_the_budget_counts_each() -> None:
    def known(key: UnitKey) -> Known | None:
        return Known(accepted=True, settled=True, basis="b") if key.thought == "written" else None

    answers = Answers(own=own(), compare=comparing("equivalent"))
    units = made_of(answers, extras=thinking(both=True), basis="b", known=known).units
    assert [unit.key.name for unit in units] == ["0-model"]
    made = made_of(Answers(own=own(), compare=comparing("equivalent")), extras=thinking(both=True), budget=1)
    assert ([unit.key.name for unit in made.units], made.limited) == (["0"], True)
