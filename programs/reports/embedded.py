"""A trace as the page holds it: a row of the index, which filters and search need, and the rest, read when it is opened.

The rest is the record's own form (`programs.records`) without what is empty and without what can be made again: the
passage is stored once for its traces, a quote is a `span` of it in UTF-16 units, and the thought is left out where the
steps are all of it.
"""

import hashlib
from typing import Any

from programs.judges.review_list import FAR_APART
from programs.records import EvidenceRecord, Record, StepRecord
from programs.reports.origin import Seen
from programs.text.thought import bare_thought

FIELDS = (
    "key",
    "run",
    "question",
    "question_id",
    "unit",
    "type",
    "difficulty",
    "status",
    "model",
    "title",
    "domain",
    "passage",
    "score",
    "spread",
    "grade",
    "words",
    "need",
    "notable",
    "variation",
    "attempt",
    "chunk",
    "place",
)
"""What a row holds. `passage` is its text's hash; `chunk` and `place` say where the rest is."""

_APART: dict[str, Any] = {
    "source_paper": {"text"},
    "user_interaction": {"question"},
    **dict.fromkeys(("reasoning_trace", "steps", "evidence", "thought"), True),
}
"""What of a record is stored in another way."""

STATUSES = {"below": "turned down", "unused": "not needed"}
"""What is said of a trace, where its status is not the word itself."""


class Places:
    """Places in one text, from code points (Python) to UTF-16 units (JavaScript)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._plain = not text or max(text) <= "\uffff"

    def of(self, place: int) -> int:
        """The same place, counted in UTF-16 units."""
        return place if self._plain else len(self._text[:place].encode("utf-16-le", "surrogatepass")) // 2

    def span(self, quote: str | None, start: int | None, end: int | None) -> list[int] | None:
        """Where a quote stands, if it stands there."""
        if quote is None or start is None or end is None or self._text[start:end] != quote:
            return None
        return [self.of(start), self.of(end)]


def passage_of(record: Record) -> str:
    """A name for the passage of a trace: the same text has the same."""
    paper = record.source_paper
    named = paper.text if paper.text is not None else f"{paper.id}\0{paper.title}"
    return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def row_of(seen: Seen, run: int) -> dict[str, Any]:
    """The row of a trace; `key`, `chunk` and `place` are the packer's to fill in."""
    record = seen.record
    made, grades, solve = record.generation, record.answer_grades, record.blind_solve
    return dict.fromkeys(FIELDS) | {
        "key": record.id,
        "run": run,
        "question": record.user_interaction.question,
        "question_id": record.question_id,
        "unit": seen.unit,
        "type": record.user_interaction.question_type,
        "difficulty": record.user_interaction.difficulty_level,
        "status": STATUSES.get(seen.became, seen.became),
        "model": made.model if made else None,
        "title": record.source_paper.title,
        "domain": record.source_paper.domain,
        "passage": passage_of(record),
        "score": record.metadata.quality_score,
        "spread": record.metadata.quality_spread,
        "grade": grades.overall_score if grades else None,
        "words": len(bare_thought(record.reasoning_trace).split()),
        "need": solve.need if solve else None,
        "notable": list(_notable(record)),
        "variation": made.variation if made else None,
        "attempt": made.attempt if made else None,
    }


def _notable(record: Record) -> list[str]:
    found = record.metadata
    named = {
        "judges far apart": (found.quality_spread or 0) >= FAR_APART,
        "a judge's verdict is missing": any(not verdict.scored for verdict in record.verdicts),
        "a step is contradicted": any(step.status == "contradicted" for step in record.steps),
        "a step stands outside the passage": any(step.status == "outside" for step in record.steps),
        "evidence not found": any(not item.verified for item in record.evidence),
        "the text has flags": bool(record.source_paper.flags),
        "the model's own thought": record.thought == "model",
    }
    return [name for name, is_so in named.items() if is_so]


def rest_of(record: Record) -> dict[str, Any]:
    """What the page shows of an opened trace beside its row and its passage."""
    places = Places(record.source_paper.text or "")
    thought = bare_thought(record.reasoning_trace)
    rest = record.model_dump(mode="json", exclude=_APART, exclude_none=True)
    rest["answer_grades"] = record.answer_grades and record.answer_grades.model_dump(mode="json")
    rest["steps"] = [_step(step, places) for step in record.steps]
    rest["evidence"] = [_evidence(item, places) for item in record.evidence]
    if "\n\n".join(step.text.strip() for step in record.steps) != thought:
        rest["thought"] = thought
    return rest


def _step(step: StepRecord, places: Places) -> dict[str, Any]:
    plain = step.model_dump(mode="json", exclude_none=True, include={"kind", "text", "status", "judged_by", "reason"})
    return plain | _quoted(step, places)


def _evidence(item: EvidenceRecord, places: Places) -> dict[str, Any]:
    plain = item.model_dump(mode="json", exclude_none=True, exclude={"start", "end", "quote"})
    return plain | _quoted(item, places)


def _quoted(part: StepRecord | EvidenceRecord, places: Places) -> dict[str, Any]:
    """The place of a quote, or its text where it has none."""
    span = places.span(part.quote, part.start, part.end)
    if span is not None:
        return {"span": span}
    return {} if part.quote is None else {"quote": part.quote}
