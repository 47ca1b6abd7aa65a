"""Invariants of stages 2 and 3: the context, then four strands.

1. The context is asked first; the four strands are asked together, each with the analysis.
2. Evidence is exact by construction: its quote is the sample's text between its offsets. A number of no sentence is
   marked unverified, has no quote, and no stage is given it. A sentence counts once.
3. Evidence of which nothing stands in the passage is asked again, with the numbers that there are.
4. What of the notes is the passage over again is kept, and not given to the thought.
5. Where only the question is at hand, it is asked from then on with what the analysis adds to it, in strands, thought and
   record; not where the passage is, nor where it cannot be used at two tries: then it stands as it was.
6. A stage that gives nothing ends the question with the stage's name.
"""

import asyncio
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.ask import Ask
from programs.asking.reply import Reply, StageFailed
from programs.background_loop import run
from programs.stages.strands import locate_evidence
from signatures.strands import COMPLETING, ContextAnalysis, EvidenceSet
from signatures.vocabulary import Setting
from tests.making import TEXT, Answers, analysed, answered, good_output, only, passage, question, sample, tracer

PASSAGE = passage()


def evidence(*numbers: int) -> dict[str, Any]:
    items = [{"sentence": n, "claim": f"what sentence {n} shows", "bearing": "qualifies"} for n in numbers]
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


def test_evidence_that_stands_nowhere_is_asked_again_with_the_numbers_there_are() -> None:
    asks: list[Ask] = []

    def nowhere(ask: Ask) -> Any:
        asks.append(ask)
        return evidence(5, 99)

    with pytest.raises(StageFailed, match="no sentence is numbered 5, 99; the passage has sentences 1 to 4") as caught:
        analysed(Answers(evidence=nowhere))
    assert caught.value.final
    assert asks[0].check([asks[0].read(evidence(99, 4))]) == []


def test_notes_that_are_the_passage_over_again_are_not_given_to_the_thought() -> None:
    whole = f"{TEXT} The scatter that is left in the sample grows with distance, which no errors of the fluxes explain."
    copied = passage(whole).quoted(5)["quote"]
    found = dataclasses.replace(
        analysed(), source=whole, evidence=locate_evidence(EvidenceSet.model_validate(evidence(1, 5)), passage(whole))
    )
    found.evidence[1].claim = found.hypotheses.hypotheses[1].test = found.critique.alternative = copied
    given = found.for_thought
    assert copied not in str(given)
    assert [claim.claim for claim in given["evidence"]] == ["what sentence 1 shows"]
    first, second = given["hypotheses"].hypotheses
    assert first == found.hypotheses.hypotheses[0]
    assert second.model_dump() == {"statement": found.hypotheses.hypotheses[1].statement}
    assert given["critique"].strengths == found.critique.strengths
    assert str(dataclasses.replace(found, source="Something else.").for_thought).count(copied) == 3


async def test_the_context_comes_first_and_the_strands_together_with_it() -> None:
    answers, four = Answers(), asyncio.Event()

    async def answer(ask: Ask) -> Reply:
        reply = answers.reply(ask)
        if ask.stage != "context":
            # Waits for ever where they are asked one after another.
            if len(answers.asked) == 5:
                four.set()
            await four.wait()
        return reply

    found = await asyncio.wait_for(tracer().strands.generate(PASSAGE, question(), "closed", answer), 5)
    context, *strands = answers.asked
    assert context.stage == "context"
    assert [ask.stage for ask in strands] == ["hypotheses", "evidence", "critique", "perspective"]
    for ask in strands:
        assert {**ask.inputs, "completing": COMPLETING["closed"]} == {**context.inputs, "analysis": found.analysis}
        assert ask.depth > context.depth
        assert ask.key == f"{ask.stage}/{sample().id}/mechanism"


ADDED = f"{question().text} I am told that 107 galaxies were measured, and that the lamps were off."
LEANING = f"{ADDED} The authors of the paper say so."


@pytest.mark.parametrize(
    ("setting", "full", "stands"),
    [("closed", ADDED, ADDED), ("open", ADDED, question().text), ("closed", LEANING, question().text)]
    + [("closed", full, question().text) for full in ("", "Why?")],
)
def test_a_question_is_asked_with_what_it_lacked(setting: Setting, full: str, stands: str) -> None:
    def taken(ask: Ask) -> Reply:
        # What still has a fault at the last try is taken.
        good = good_output(ask)
        return answered(ask, good).model_copy(update={"output": {**good, "full_question": full}})

    answers = Answers(context=taken)
    found = run(tracer().strands.generate(PASSAGE, question(), setting, answers))
    assert found.question == question(text=stands)
    assert [ask.inputs["question"] for ask in answers.asked] == [question().text, *[stands] * 4]
    assert all(type(ask.inputs["analysis"]) is ContextAnalysis for ask in answers.asked[1:])


def test_one_that_leans_on_its_source_is_asked_for_again_once() -> None:
    variation = only(Answers(context=lambda ask: {**good_output(ask), "full_question": ADDED}))
    assert variation.record().user_interaction.question == ADDED
    answers = Answers()
    for setting in ("closed", "open"):
        run(tracer().strands.generate(PASSAGE, question(), setting, answers))
    closed, opened = (ask for ask in answers.asked if ask.stage == "context")
    said = closed.read({**good_output(closed), "full_question": LEANING})
    assert "leans on its source" in closed.check([said])[0]
    assert closed.check([said, said]) == opened.check([said]) == []
