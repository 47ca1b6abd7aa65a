"""The steps of a thought as a record holds them, with what a model said of each."""

from collections.abc import Mapping

from programs.passage import Passage
from programs.records import StepRecord
from programs.stages.thought import Draft
from signatures.steps import StepVerdict


def step_records(
    draft: Draft, passage: Passage, verdicts: Mapping[int, StepVerdict], model: str | None
) -> list[StepRecord]:
    """The steps of a draft. `verdicts` are what `model` said, by the number of the step from 1."""
    steps = enumerate(draft.thought.steps(), start=1)
    return [StepRecord(kind=kind, text=text, **_judged(verdicts.get(at), passage, model)) for at, (kind, text) in steps]


def _judged(verdict: StepVerdict | None, passage: Passage, model: str | None) -> dict[str, object]:
    if verdict is None:
        return {}
    status = None if verdict.status == "no_claim" else verdict.status
    judged: dict[str, object] = {"status": status, "judged_by": model, "reason": verdict.reason}
    if status is None or status == "outside":
        return judged
    span = passage.spans[verdict.sentence - 1]
    return {**judged, "quote": passage.sentence(verdict.sentence), "start": span.start, "end": span.end}
