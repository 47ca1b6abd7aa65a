"""Invariants of a model's own thoughts (`programs.traces.own_thoughts`).

1. Closed, the model gets the question and nothing else; open, the passage before it. Never a note, a field or a form.
2. A try is taken only where its answer agrees with the grounded one; no more than K are made, none after the one taken.
3. Tries that came to another answer are attempts that were turned down; a try without a thought, or unusable, is none.
4. The thought is what came as reasoning, whole, its paragraphs the steps, of no kind.
5. No own thought without a grounded answer; written traces are what they are without own ones.
6. Both kinds have variations of their own, and the budget counts each.
"""

from typing import Any

import pytest

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.rejection import Reason
from programs.traces.own_thoughts import NO_REASONING, _warn
from programs.traces.variation import Variation
from signatures.vocabulary import Agreement
from tests.making import Answers, made_of, passage, unread

THOUGHT = (
    "So the scatter is 9 percent.\n\nHmm, wait. That grows for the faint ones.\n\nFine, then it biases the amplitude."
)
ANSWER = "The scatter grows towards fainter targets, so their noise leaks into the amplitude and biases it upwards."


def thinking(tries: int = 4, *, both: bool = False) -> dict[str, Any]:
    return {"thought": "both" if both else "model", "tries": tries, "compare_model": "comparer"}


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
    *found: Agreement, own: Any = TRIES, stages: dict[str, Any] | None = None, **options: Any
) -> tuple[Variation, Answers]:
    """The one variation with an own thought, and what was asked for it."""
    answers = Answers(own=own, compare=comparing(*(found or ("equivalent",))), **(stages or {}))
    variations = made_of(answers, **{**thinking(), **options}).variations
    [variation] = [variation for variation in variations if variation.key.thought == "model"]
    return variation, answers


@pytest.mark.parametrize(
    ("found", "asked", "status"),
    [
        (["equivalent"], 1, "accepted"),
        (["partial", "contradicts", "equivalent"], 3, "accepted"),
        (["partial", "partial", "partial", "equivalent"], 4, "accepted"),
        (["contradicts"] * 4, 4, "rejected"),
        (["contradicts", "partial", "contradicts", "partial", "equivalent"], 4, "rejected"),
    ],
)
def test_a_try_is_taken_on_agreement_and_there_are_at_most_k(found: list[Agreement], asked: int, status: str) -> None:
    variation, answers = thought_of(*found)
    assert (variation.status, answers.count("own"), answers.count("compare")) == (status, asked, asked)
    assert [attempt.agreed.agreement for attempt in variation.attempts if attempt.agreed] == found[:asked]
    last = "accepted" if status == "accepted" else "below"
    assert [attempt.standing for attempt in variation.attempts] == ["below"] * (asked - 1) + [last]
    assert variation.settled


def test_the_comparison_is_with_the_grounded_answer_and_each_try_has_a_seed_of_its_own() -> None:
    variation, answers = thought_of("partial", **thinking(3, both=True))
    compares = [ask for ask in answers.asked if ask.stage == "compare"]
    [written] = [ask for ask in answers.asked if ask.stage == "answer"]
    assert {ask.judge for ask in compares} == {"comparer"}
    assert len({ask.inputs["reference"] for ask in compares}) == 1
    assert len({ask.key for ask in answers.asked if ask.stage in ("own", "compare")}) == 6
    [reference] = {attempt.agreed.reference for attempt in variation.attempts if attempt.agreed}
    assert reference == compares[0].inputs["reference"] in str(answers.reply(written).output)


def test_a_try_without_a_thought_is_no_trace_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    _warn.cache_clear()
    for _ in range(2):
        variation, answers = thought_of(own=own(None))
        assert (variation.status, variation.attempts) == ("rejected", [])
        assert (answers.count("own"), answers.count("compare")) == (4, 0)
        assert str(variation.rejection) == f"{Reason.OWN_THOUGHT.value}: 4 {NO_REASONING}"
    assert len([record for record in caplog.records if NO_REASONING in record.message]) == 1


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

    variation, answers = thought_of(own=replied)
    assert (variation.status, len(variation.attempts), answers.count("own")) == ("accepted", 1, 2)


def test_what_was_not_answered_is_open_and_the_others_go_on() -> None:
    def replied(ask: Ask) -> Reply:
        return unread("the answer ran into its token limit") if number_of(ask) == 0 else own()(ask)

    variation, _ = thought_of("contradicts", own=replied)
    assert (variation.status, variation.settled, len(variation.attempts)) == ("failed", False, 3)
    assert variation.failure is not None
    variation, _ = thought_of("contradicts", "equivalent", own=replied)
    assert (variation.status, variation.settled) == ("accepted", True)


def test_the_record_says_whose_thought_it_is() -> None:
    variation, _ = thought_of()
    record = variation.record()
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
    assert record.unit == str(variation.key) == f"{passage().sample.id}/{variation.question.type}/0-model"


@pytest.mark.parametrize("both", [False, True])
def test_each_kind_is_a_variation_of_its_own(both: bool) -> None:
    answers = Answers(own=own(), compare=comparing("equivalent"))
    variations = made_of(answers, **thinking(both=both), variations=2, grade_answers=True).variations
    names = [variation.key.name for variation in variations]
    assert names == (["0", "0-model", "1", "1-model"] if both else ["0-model", "1-model"])
    assert answers.count("grade") == len(variations)
    # Equal own thoughts of two variations are one trace, as equal written ones are.
    assert [variation.key.name for variation in variations if variation.status == "duplicate"] == ["1-model"]
