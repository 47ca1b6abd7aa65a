"""The step check (`--check-steps`): a model says which sentence of the passage decides about each step of an accepted
trace, and how, all in one call. A step that it gives no readable verdict on has none, and neither has any step of a thought
of more than `MOST_STEPS`."""

from programs.asking.ask import Answering, Ask, together
from programs.passage import Passage
from programs.stages.steps import StepStage, verdicts_in
from programs.traces.unit import Attempt, Unit
from signatures.steps import MOST_STEPS


class StepChecker:
    """Checks the steps of accepted traces, by the model `model`."""

    def __init__(self, model: str, stage: StepStage | None = None) -> None:
        self.model = model
        self.stage = stage or StepStage()

    @property
    def basis(self) -> str:
        """By which rules units are decided."""
        return f"steps checked by {self.model}"

    async def check(self, passage: Passage, units: list[Unit], answer: Answering) -> None:
        """Gives the accepted ones of a question's units their verdicts."""
        asked: list[tuple[Attempt, Ask]] = []
        for unit in units:
            steps = unit.attempts[-1].draft.thought.texts if unit.status == "accepted" else []
            # A model's own thought may have more than one call can look up.
            if 0 < len(steps) <= MOST_STEPS:
                attempt = unit.attempts[-1]
                ask = self.stage.ask(passage, steps, unit.key.named(attempt.plan.name), self.model)
                asked.append((attempt, ask))
        replies = await together(answer(ask) for _, ask in asked)
        for (attempt, _), reply in zip(asked, replies, strict=True):
            attempt.more["steps"] = [reply]
            attempt.step_verdicts = verdicts_in(reply, len(attempt.draft.thought.steps()), len(passage.spans))
            attempt.checked_by = reply.model or self.model
