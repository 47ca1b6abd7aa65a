"""Invariants of stages 2 and 3: the context, then four strands.

1. The context is asked first; the four strands are asked together, each with the analysis.
2. Evidence is exact by construction: its quote is the sample's text between its offsets. A number of no sentence is
   marked unverified, has no quote, and no stage is given it. A sentence counts once.
3. Evidence of which nothing stands in the passage is asked again, with the numbers that there are.
4. A claim that is its sentence over again is kept, and not given to the thought.
5. A stage that gives nothing ends the question with the stage's name.
"""

import asyncio
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.ask import Ask
from programs.asking.reply import Reply, StageFailed
from programs.stages.strands import located
from signatures.strands import EvidenceSet
from tests.making import TEXT, Answers, analysed, passage, question, sample, tracer

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
    found = located(EvidenceSet.model_validate(evidence(*numbers)), shown)
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


def test_a_claim_that_is_its_sentence_over_again_is_not_given_to_the_thought() -> None:
    shown = passage(
        f"{TEXT} The scatter that is left in the sample grows with distance, which no errors of the fluxes explain."
    )
    last = len(shown.spans)
    copied, own = (
        {"sentence": last, "claim": claim, "bearing": "supports"}
        for claim in (shown.quoted(last)["quote"], "Flux errors do not explain why the scatter grows.")
    )
    for said, kept in ((copied, 0), (own, 1)):
        strands = dataclasses.replace(
            analysed(), evidence=located(EvidenceSet.model_validate({"items": [said]}), shown)
        )
        assert len(strands.evidence) == 1
        assert len(strands.evidence_for_thought()) == kept


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
        assert ask.inputs == {**context.inputs, "analysis": found.analysis}
        assert ask.depth > context.depth
        assert ask.key == f"{ask.stage}/{sample().id}/mechanism"
