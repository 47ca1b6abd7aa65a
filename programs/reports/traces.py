"""The traces in a page: for each, a row for the list and the record, which is read when the trace is opened. Both are
JSON, compressed with zlib and encoded in base64, which cannot close an HTML element."""

import base64
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from programs.records import Record
from programs.run.attempts import ReadTrace
from programs.statistics.agreement import FAR_APART
from programs.text.thought import bare_thought

STATUSES = {"below": "rejected attempt", "unused": "not needed"}
FACETS: dict[str, Callable[[ReadTrace], str | None]] = {
    "Status": lambda trace: STATUSES.get(trace.outcome, trace.outcome),
    "Question type": lambda trace: trace.record.user_interaction.question_type,
    "Difficulty": lambda trace: trace.record.user_interaction.difficulty_level,
    "Model": lambda trace: trace.record.generation.model if trace.record.generation else None,
    "Blind solve": lambda trace: trace.record.blind_solve.need if trace.record.blind_solve else None,
}
"""The filters of the list. To add one, add a line here."""


def _count_words(text: str | None) -> int | None:
    return None if text is None else len(text.split())


SCORE, SPREAD = "judges' mean rating (1-10)", "points between the judges"
GRADE = "mean grade (0-1)"
THOUGHT_WORDS = "words of the thought"
NUMBERS: dict[str, Callable[[Record], float | None]] = {
    SCORE: lambda record: record.metadata.quality_score,
    SPREAD: lambda record: record.metadata.quality_spread,
    GRADE: lambda record: record.answer_grades.overall_score if record.answer_grades else None,
    "authenticity, by the judges (0-1)": lambda record: record.metadata.authenticity_score,
    "measured difficulty (0-1)": lambda record: record.blind_solve.difficulty if record.blind_solve else None,
    "words of the passage": lambda record: _count_words(record.source_paper.text),
    "words of the question": lambda record: _count_words(record.user_interaction.question),
    THOUGHT_WORDS: lambda record: _count_words(bare_thought(record.reasoning_trace)),
    "words of the answer": lambda record: _count_words(record.final_answer),
}
"""The numbers of a trace, None if unknown. To add one, add a line here."""
ORDERS = (SCORE, SPREAD, GRADE, THOUGHT_WORDS)
"""The numbers that the list shows and can be sorted by."""

NOTABLE: dict[str, Callable[[Record], bool]] = {
    "judges far apart": lambda record: (record.metadata.quality_spread or 0) >= FAR_APART,
    "a judge's verdict is missing": lambda record: any(not verdict.scored for verdict in record.verdicts),
    "a step is contradicted": lambda record: any(step.status == "contradicted" for step in record.steps),
    "a step goes beyond the passage": lambda record: any(step.status == "outside" for step in record.steps),
    "evidence not found": lambda record: any(not item.verified for item in record.evidence),
    "the text has flags": lambda record: bool(record.source_paper.flags),
    "the model's own thought": lambda record: record.thought == "model",
    "a wrong turn": lambda record: any(step.kind == "wrong" for step in record.steps),
    "needs the passage": lambda record: bool(record.needs_passage),
}
"""What makes a trace worth a look. To add a reason, add a line here."""

JUDGED = ("verdicts", "answer_grades", "agreed", "blind_solve")
TEXTS = ("reasoning_trace", "final_answer", "steps", "evidence")
"""JUDGED and TEXTS are the parts of a record that are always shown; all others are collapsed."""


class KeptTrace(NamedTuple):
    """What is kept of a trace until the page is written: its row, and its compressed record (`pack`)."""

    row: dict[str, Any]
    record: str


def keep_trace(trace: ReadTrace) -> KeptTrace:
    record, origin = trace.record, trace.record.generation
    attempt = [f"variation {(origin.variation or 0) + 1}, attempt {(origin.attempt or 0) + 1}"] if origin else []
    facets = {name: [value for value in [value_of(trace)] if value] for name, value_of in FACETS.items()}
    row = {
        "key": record.id,
        "question": record.user_interaction.question,
        "about": [record.source_paper.title, record.source_paper.domain, *attempt],
        "asked": record.question_id or record.user_interaction.question,
        "facets": {**facets, "Worth a look": notable(record)},
        "scores": {name: NUMBERS[name](record) for name in ORDERS},
    }
    return KeptTrace(row, pack(_parts(record)))


def notable(record: Record) -> list[str]:
    return [name for name, applies in NOTABLE.items() if applies(record)]


def page_pieces(traces: Sequence[KeptTrace]) -> Iterator[str]:
    """The compressed pieces of the page: all rows in one, then each record, in order."""
    # Old traces may share an id or have none.
    keys = set[str | None]({None})
    for number, (row, _) in enumerate(traces):
        row["key"] = f"trace-{number}" if row["key"] in keys else row["key"]
        keys.add(row["key"])
    yield pack([trace.row for trace in traces])
    yield from (trace.record for trace in traces)


def pack(value: Any) -> str:
    return base64.b64encode(zlib.compress(orjson.dumps(value))).decode()


def _parts(record: Record) -> dict[str, Any]:
    """A record for the page: its texts, even if empty, and its parts without missing values (but with missing grades)."""

    def known(part: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in part.items() if value not in (None, "", [], {})}

    content = known(record.compact_dump())
    for name, part in content.items():
        if isinstance(part, dict) and name != "answer_grades":
            content[name] = known(part)
    # A point may have no quote: a step can follow from other points, and a pitfall is in no sentence.
    if record.rubric:
        shown = {"kind", "text", "weight"}
        content["rubric"] = [
            point.model_dump(include=shown) | {"rests_on": point.quote or ""} for point in record.rubric
        ]
    if left_out := content.pop("unchecked", None):
        content["left_out_of_short_answer_and_rubric"] = left_out
    texts = {"passage": content["source_paper"].pop("text", None), "final_answer": ""}
    texts |= {name: content.pop(name) for name in TEXTS if name in content}
    texts["reasoning_trace"] = bare_thought(record.reasoning_trace)
    return texts | {"judged": {name: content.pop(name) for name in JUDGED if name in content}, "made": content}
