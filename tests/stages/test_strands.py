"""Invariants of stages 2 and 3: the context, then four strands.

1. The context is asked first, then the four strands together, each with the analysis.
2. The quote of evidence is the sample's text between its offsets. Evidence with the number of no sentence is marked
   unverified, has no quote, and no stage is given it. Each claim about a sentence is kept once.
3. If no evidence names an existing sentence, it is asked for again, with the numbers that exist.
4. Notes that repeat the passage are kept, but not given to the thought.
5. Closed, the question is completed with what the analysis adds, for strands, thought and record. It stays as it was if the
   passage is in view, or if the completion cannot be used at two tries.
6. A stage without a usable reply ends the question with the stage's name.
"""

import asyncio
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.ask import Ask
from programs.asking.reply import Reply, StageFailed
from programs.background_loop import run_in_background
from programs.stages.strands import locate_evidence
from signatures.strands import COMPLETING, ContextAnalysis, EvidenceSet
from signatures.vocabulary import Setting
from tests.builders import (
    TEXT,
    Answers,
    good_output,
    one_variation,
    passage,
    question,
    reply_to,
    sample,
    strands,
    tracer,
)

PASSAGE = passage()


def evidence(*numbers: int) -> dict[str, Any]:
    items = [{"sentence": n, "claim": f"what sentence {n} shows"} for n in numbers]
    return {"items": items}


@pytest.mark.parametrize(
    "text", [TEXT, f"  {TEXT}\n\nThe redshift is z = 0.31 ± 0.02\nfor α Lyrae 🚀. It holds elsewhere too."]
)
@given(numbers=st.lists(st.integers(1, 8) | st.integers(1, 9999), min_size=1, max_size=5))
def test_verified_evidence_is_the_samples_text_between_its_offsets(text: str, numbers: list[int]) -> None:
    shown = passage(text, title="A title", domain="Cosmology")
    found = locate_evidence(EvidenceSet.model_validate(evidence(*numbers)), shown)
    assert [item.sentence for item in found] == list(dict.fromkeys(numbers))
    for item in found:
        assert item.sentence is not None
        assert item.verified == (item.sentence <= len(shown.spans))
        assert (item.quote, item.start, item.end).count(None) == (0 if item.verified else 3)
        if item.quote is not None:
            assert item.quote == shown.sample.text[item.start : item.end] == shown.quoted(item.sentence)["quote"]
            assert " ".join(item.quote.split()) in shown.shown


def test_evidence_without_an_existing_sentence_is_asked_for_again() -> None:
    asks: list[Ask] = []

    def missing_sentences(ask: Ask) -> Any:
        asks.append(ask)
        return evidence(5, 99)

    with pytest.raises(StageFailed, match="no sentence is numbered 5, 99; the passage has sentences 1 to 4") as caught:
        strands(Answers(evidence=missing_sentences))
    assert caught.value.final
    assert asks[0].check([asks[0].read(evidence(99, 4))]) == []


def test_notes_that_repeat_the_passage_are_not_given_to_the_thought() -> None:
    whole = f"{TEXT} The scatter that is left in the sample grows with distance, which no errors of the fluxes explain."
    copied = passage(whole).quoted(5)["quote"]
    found = dataclasses.replace(
        strands(), source=whole, evidence=locate_evidence(EvidenceSet.model_validate(evidence(1, 5)), passage(whole))
    )
    found.evidence[1].claim = found.hypotheses.hypotheses[1].test = found.critique.alternative = copied
    given = found.for_thought
    assert copied not in str(given)
    assert given["evidence"] == ["what sentence 1 shows"]
    first, second = given["hypotheses"].hypotheses
    assert first == found.hypotheses.hypotheses[0]
    assert second.model_dump() == {"statement": found.hypotheses.hypotheses[1].statement}
    assert given["critique"].strengths == found.critique.strengths
    assert str(dataclasses.replace(found, source="Something else.").for_thought).count(copied) == 3


async def test_the_context_is_asked_first_and_the_strands_together() -> None:
    answers, all_asked = Answers(), asyncio.Event()

    async def answer(ask: Ask) -> Reply:
        reply = answers.reply(ask)
        if ask.stage != "context":
            # Would wait forever if they were asked one after another.
            if len(answers.asks) == 5:
                all_asked.set()
            await all_asked.wait()
        return reply

    found = await asyncio.wait_for(tracer().strands.generate(PASSAGE, question(), "closed", answer), 5)
    context, *strands = answers.asks
    assert context.stage == "context"
    assert [ask.stage for ask in strands] == ["hypotheses", "evidence", "critique", "perspective"]
    for ask in strands:
        assert {**ask.inputs, "completing": COMPLETING["closed"]} == {**context.inputs, "analysis": found.analysis}
        assert ask.depth > context.depth
        assert ask.key == f"{ask.stage}/{sample().id}/mechanism"


COMPLETED = f"{question().text} I am told that 107 galaxies were measured, and that the lamps were off."
WITH_SOURCE = f"{COMPLETED} The authors of the paper say so."


@pytest.mark.parametrize(
    ("setting", "full", "expected"),
    [("closed", COMPLETED, COMPLETED), ("open", COMPLETED, question().text), ("closed", WITH_SOURCE, question().text)]
    + [("closed", full, question().text) for full in ("", "Why?")],
)
def test_a_question_is_completed_if_the_passage_is_not_in_view(setting: Setting, full: str, expected: str) -> None:
    def accept(ask: Ask) -> Reply:
        # Accepted whatever its problems, as at the last try.
        good = good_output(ask)
        return reply_to(ask, good).model_copy(update={"output": {**good, "full_question": full}})

    answers = Answers(context=accept)
    found = run_in_background(tracer().strands.generate(PASSAGE, question(), setting, answers))
    assert found.question == question(text=expected)
    assert [ask.inputs["question"] for ask in answers.asks] == [question().text, *[expected] * 4]
    assert all(type(ask.inputs["analysis"]) is ContextAnalysis for ask in answers.asks[1:])


def test_a_completion_that_refers_to_its_source_is_asked_for_again_once() -> None:
    variation = one_variation(Answers(context=lambda ask: {**good_output(ask), "full_question": COMPLETED}))
    assert variation.record().user_interaction.question == COMPLETED
    answers = Answers()
    for setting in ("closed", "open"):
        run_in_background(tracer().strands.generate(PASSAGE, question(), setting, answers))
    closed, opened = (ask for ask in answers.asks if ask.stage == "context")
    said = closed.read({**good_output(closed), "full_question": WITH_SOURCE})
    assert "refers to its source" in closed.check([said])[0]
    assert closed.check([said, said]) == opened.check([said]) == []
