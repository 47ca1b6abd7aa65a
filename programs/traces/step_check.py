"""The step check (`--check-steps`): a model says which sentence of the passage decides about each step of an accepted
trace, and how, all in one call. A step that it gives no readable verdict on has none, and neither has any step of a thought
of more than `MOST_STEPS`."""

from programs.asking.ask import Answering, together
from programs.inputs.passage import Passage
from programs.records import StepRecord
from programs.stages.steps import StepStage, verdicts_in
from programs.traces.variation import Variation
from signatures.steps import MOST_STEPS, StepVerdict

STAGE = StepStage()


async def check_steps(variations: list[Variation], model: str, answer: Answering) -> None:
    """Gives the accepted ones of a question's variations their steps, as `model` checked them."""
    await together(_check(variation, model, answer) for variation in variations if variation.accepted)


async def _check(variation: Variation, model: str, answer: Answering) -> None:
    passage, attempt = variation.passage, variation.last
    steps = attempt.draft.thought.steps()
    # A model's own thought may have more than one call can look up.
    if not 0 < len(steps) <= MOST_STEPS:
        return
    reply = await answer(STAGE.ask(passage, [text for _, text in steps], variation.name, model))
    attempt.more["steps"] = [reply]
    verdicts = verdicts_in(reply, len(steps), len(passage.spans))
    attempt.steps = [
        StepRecord(kind=kind, text=text, **_judged(verdicts.get(number), passage, reply.model or model))
        for number, (kind, text) in enumerate(steps, start=1)
    ]


def _judged(verdict: StepVerdict | None, passage: Passage, model: str) -> dict[str, object]:
    """What a verdict adds to the record of its step."""
    if verdict is None:
        return {}
    status = None if verdict.status == "no_claim" else verdict.status
    judged: dict[str, object] = {"status": status, "judged_by": model, "reason": verdict.reason}
    if status is None or status == "outside":
        return judged
    return {**judged, **passage.quoted(verdict.sentence)}
