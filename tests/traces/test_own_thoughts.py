"""Invariants of a model's own thoughts (`programs.traces.own_thoughts`).

1. Closed, the model gets only the question; open, the passage before it. It never gets a note, a field or a form.
2. A try is accepted only if its answer agrees with the grounded one. At most K tries are made, none after an accepted one.
3. A try with another answer is a rejected attempt. A try without a thought, or with unusable texts, is no attempt.
4. The thought is the whole reasoning that came with the reply. Its paragraphs are the steps, without a kind.
5. There is no own thought without a grounded answer. Own thoughts do not change the written traces.
6. Written and own thoughts have separate variations, and the budget counts each.
"""

from typing import Any

import pytest

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.rejection import Reason
from programs.traces.own_thoughts import NO_REASONING, _warn
from programs.traces.variation import Variation
from signatures.vocabulary import Agreement
from tests.builders import Answers, passage, run_tracer, unread_reply

THOUGHT = (
    "So the scatter is 9 percent.\n\nHmm, wait. That grows for the faint ones.\n\nFine, then it biases the amplitude."
)
ANSWER = "The scatter grows towards fainter targets, so their noise leaks into the amplitude and biases it upwards."


def own_options(tries: int = 4, *, both: bool = False) -> dict[str, Any]:
    return {"thought": "both" if both else "model", "tries": tries, "compare_model": "comparer"}


def try_of(ask: Ask) -> int:
    """The number of the try that an ask is about."""
    return int(ask.subject[2].partition(".")[2])


def model(reasoning: str | None = THOUGHT, answer: str = ANSWER) -> Any:
    def reply(ask: Ask) -> Reply:
        text = f"{answer} That is try {try_of(ask)}."
        thought = None if reasoning is None else f"{reasoning}\n\nTry {try_of(ask)}."
        return Reply(status="ok", output=text, reasoning=thought, model="reasoner", temperature=ask.temperature)

    return reply


REASONING_MODEL = model()


def comparer(*agreements: Agreement) -> Any:
    """A model that finds these agreements for the tries, in order, and the last one for all further tries."""

    def compare(ask: Ask) -> dict[str, Any]:
        agreement = agreements[min(try_of(ask), len(agreements) - 1)]
        return {"reason": "They make this and that claim.", "agreement": agreement}

    return compare


def own_variation(
    *agreements: Agreement, own: Any = REASONING_MODEL, stages: dict[str, Any] | None = None, **options: Any
) -> tuple[Variation, Answers]:
    """The only variation with an own thought, and the answers that it was made with."""
    answers = Answers(own=own, compare=comparer(*(agreements or ("equivalent",))), **(stages or {}))
    variations = run_tracer(answers, **{**own_options(), **options}).variations
    [variation] = [variation for variation in variations if variation.key.origin == "model"]
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
def test_an_agreeing_try_is_accepted_and_at_most_k_are_made(found: list[Agreement], asked: int, status: str) -> None:
    variation, answers = own_variation(*found)
    assert (variation.status, answers.count("own"), answers.count("compare")) == (status, asked, asked)
    assert [attempt.agreed.agreement for attempt in variation.attempts if attempt.agreed] == found[:asked]
    last = "accepted" if status == "accepted" else "below"
    assert [attempt.standing for attempt in variation.attempts] == ["below"] * (asked - 1) + [last]
    assert variation.settled


def test_each_try_is_compared_with_the_grounded_answer_and_has_its_own_seed() -> None:
    variation, answers = own_variation("partial", **own_options(3, both=True))
    compares = [ask for ask in answers.asks if ask.stage == "compare"]
    [written] = [ask for ask in answers.asks if ask.stage == "answer"]
    assert {ask.model for ask in compares} == {"comparer"}
    assert len({ask.inputs["reference"] for ask in compares}) == 1
    assert len({ask.key for ask in answers.asks if ask.stage in ("own", "compare")}) == 6
    [reference] = {attempt.agreed.reference for attempt in variation.attempts if attempt.agreed}
    assert reference == compares[0].inputs["reference"] in str(answers.reply(written).output)


def test_tries_without_a_thought_give_no_trace_and_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    _warn.cache_clear()
    for _ in range(2):
        variation, answers = own_variation(own=model(None))
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
def test_an_unusable_try_is_no_attempt(thought: str, answer: str) -> None:
    def reply(ask: Ask) -> Reply:
        return model()(ask) if try_of(ask) else Reply(status="ok", output=answer, reasoning=thought, model="reasoner")

    variation, answers = own_variation(own=reply)
    assert (variation.status, len(variation.attempts), answers.count("own")) == ("accepted", 1, 2)


def test_an_unanswered_try_stays_open_and_the_others_are_made() -> None:
    def reply(ask: Ask) -> Reply:
        return unread_reply("the answer ran into its token limit") if try_of(ask) == 0 else model()(ask)

    variation, _ = own_variation("contradicts", own=reply)
    assert (variation.status, variation.settled, len(variation.attempts)) == ("failed", False, 3)
    assert variation.failure is not None
    variation, _ = own_variation("contradicts", "equivalent", own=reply)
    assert (variation.status, variation.settled) == ("accepted", True)


def test_the_record_says_whose_thought_it_is() -> None:
    variation, _ = own_variation()
    record = variation.record()
    paragraphs = [*THOUGHT.split("\n\n"), "Try 0."]
    assert record.reasoning_trace == "<thought>\n" + "\n\n".join(paragraphs) + "\n</thought>"
    assert [(step.kind, step.text) for step in record.steps] == [(None, text) for text in paragraphs]
    assert record.final_answer == f"{ANSWER} That is try 0."
    assert (record.thought, record.shape, record.yes_or_no) == ("model", None, None)
    assert record.generation is not None
    assert record.generation.model == "reasoner"
    assert not record.generation.model_reasoning
    assert {"trace", "answer", "agreement"} < set(record.generation.models), "the stages that another model answered"
    assert "own" not in record.generation.models
    assert record.variation_key == str(variation.key) == f"{passage().sample.id}/{variation.question.type}/0-model"


@pytest.mark.parametrize("both", [False, True])
def test_each_kind_of_thought_is_a_separate_variation(both: bool) -> None:
    answers = Answers(own=model(), compare=comparer("equivalent"))
    variations = run_tracer(answers, **own_options(both=both), variations=2, grade_answers=True).variations
    names = [variation.key.name for variation in variations]
    assert names == (["0", "0-model", "1", "1-model"] if both else ["0-model", "1-model"])
    assert answers.count("grade") == len(variations)
    # Equal own thoughts of two variations are duplicates, as equal written ones are.
    assert [variation.key.name for variation in variations if variation.status == "duplicate"] == ["1-model"]
