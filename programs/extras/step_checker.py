"""The step check (`--check-steps`): a model says which sentence of the passage decides about each step, and how.

A step of which every claim stands in the passage word for word needs no model; every other one of an accepted trace is
asked about, all in one call. Each comes with the sentences that the rules find, and the model may name another. A step that
it gives no readable verdict on keeps what the rules say of it.
"""

from collections.abc import Sequence

from programs.asking.plan import Ask, Plan
from programs.checks.contradiction import Sentence
from programs.checks.step_evidence import LOOKED_AT, StepEvidence
from programs.passage import Passage
from programs.stages.steps import StepStage, StepToCheck, verdicts_in
from programs.stages.trace import Draft
from programs.units.unit import Attempt, Unit


class StepChecker:
    """Checks the steps of accepted traces, by the model `model`."""

    def __init__(self, model: str, stage: StepStage | None = None) -> None:
        self.model = model
        self.stage = stage or StepStage()

    @property
    def basis(self) -> str:
        """By which rules units are decided."""
        return f"steps checked by {self.model}"

    def plan(self, passage: Passage, units: list[Unit]) -> Plan[None]:
        """Gives the accepted ones of a question's units their verdicts."""
        asked: list[tuple[Attempt, list[StepToCheck], Ask]] = []
        for unit in units:
            if unit.status != "accepted":
                continue
            attempt = unit.attempts[-1]
            steps = steps_to_check(attempt.draft, passage, unit.step_evidence(attempt))
            if steps:
                ask = self.stage.ask(passage, steps, unit.key.named(attempt.spot.name), self.model)
                asked.append((attempt, steps, ask))
        replies = (yield [ask for _, _, ask in asked]) if asked else []
        for (attempt, steps, _), reply in zip(asked, replies, strict=True):
            attempt.more["steps"] = [reply]
            wanted = [step.number for step in steps]
            attempt.step_verdicts = verdicts_in(reply, wanted, len(passage.spans))
            attempt.checked_by = reply.model or self.model


def steps_to_check(draft: Draft, passage: Passage, found: Sequence[StepEvidence]) -> list[StepToCheck]:
    """The steps that the rules do not settle, with the sentences that share the most words with each."""
    return [
        StepToCheck(number, text, likely_sentences(text, passage))
        for number, ((_, text), evidence) in enumerate(zip(draft.thought.steps(), found, strict=True), start=1)
        if evidence.status != "supported"
    ]


def likely_sentences(text: str, passage: Passage) -> list[int]:
    """The numbers of the sentences that are about a text by its words, the likeliest first."""
    return [found.index + 1 for found in passage.source.find(Sentence(text))[: LOOKED_AT + 1]]
