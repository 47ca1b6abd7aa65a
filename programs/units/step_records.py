"""The steps of a thought as a record holds them: with the quote that carries each, by rule or by a model's verdict."""

from collections.abc import Mapping, Sequence

from programs.checks.numbers import Given, unfound
from programs.checks.step_evidence import StepEvidence, step_evidence
from programs.passage import Passage
from programs.records import StepRecord
from programs.stages.strands import Evidence
from programs.stages.trace import Draft
from signatures.step_check import StepVerdict

RULE = "rule"
"""Who judged a step whose status the rules gave."""


def evidence_of(draft: Draft, passage: Passage, chosen: Sequence[Evidence]) -> list[StepEvidence]:
    """What the rules find for each step of a draft. `chosen` is the evidence of stage 3."""
    taken = frozenset(item.sentence - 1 for item in chosen if item.verified)
    return [step_evidence(text, passage.source, taken) for _, text in draft.thought.steps()]


def step_records(
    draft: Draft,
    passage: Passage,
    found: Sequence[StepEvidence],
    verdicts: Mapping[int, StepVerdict],
    model: str | None,
) -> list[StepRecord]:
    """The steps of a draft. `verdicts` are the model's, by the number of the step from 1; one of them goes before what the
    rules say, and what the rules hold against the step stays beside it as its `conflict`."""
    records = []
    for number, ((move, text), evidence) in enumerate(zip(draft.thought.steps(), found, strict=True), start=1):
        record = _by_rule(move, text, passage, evidence)
        verdict = verdicts.get(number)
        record = record if verdict is None else _by_model(record, verdict, passage, model)
        records.append(record.model_copy(update={"unquoted_numbers": _unquoted(record)}))
    return records


def _unquoted(record: StepRecord) -> list[str]:
    quote = record.quote
    if quote is None:
        return []
    missing = unfound(record.claim or record.text, lambda: Given(quote))
    return [number for number in missing if number not in record.unfound_numbers]


def _by_rule(move: str, text: str, passage: Passage, found: StepEvidence) -> StepRecord:
    quoted = found.start is not None and found.end is not None
    return StepRecord(
        move=move,
        text=text,
        claim=found.claim,
        quote=passage.sample.text[found.start : found.end] if quoted else None,
        start=found.start,
        end=found.end,
        method=found.method,
        similarity=found.similarity,
        status=found.status,
        judged_by=RULE if found.status else None,
        conflict=found.conflict,
        unfound_numbers=list(found.unfound_numbers),
    )


def _by_model(record: StepRecord, verdict: StepVerdict, passage: Passage, model: str | None) -> StepRecord:
    status = None if verdict.status == "no_claim" else verdict.status
    judged = {"status": status, "judged_by": model, "reason": verdict.reason}
    if status is None or status == "outside":
        nothing = dict.fromkeys(("claim", "quote", "start", "end", "method", "similarity"))
        return record.model_copy(update={**judged, **nothing})
    span = passage.spans[verdict.sentence - 1]
    if record.start is not None and record.end is not None and span.start <= record.start and record.end <= span.end:
        return record.model_copy(update=judged)
    place = {"quote": passage.sentence(verdict.sentence), "start": span.start, "end": span.end}
    return record.model_copy(update={**judged, **place, "claim": None, "method": "model", "similarity": None})
