"""The traces that a page holds: a row of each for the list, and its record, read when it is opened.

Records are kept compressed, those of a passage in one piece: JSON, `{"text": PASSAGE, "records": [...]}`, deflated and in
base64, which has nothing that could end an element. The rows are a piece of their own.
"""

import base64
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from programs.records import Record
from programs.run.attempts import ReadTrace
from programs.statistics.agreement import FAR_APART
from programs.text.thought import bare_thought

STATUSES = {"below": "turned down", "unused": "not needed"}
"""What is said of a trace, where its status is not the word itself."""

FACETS: dict[str, Callable[[ReadTrace], str | None]] = {
    "Status": lambda read: STATUSES.get(read.became, read.became),
    "Question type": lambda read: read.record.user_interaction.question_type,
    "Difficulty": lambda read: read.record.user_interaction.difficulty_level,
    "Model": lambda read: read.record.generation.model if read.record.generation else None,
    "Blind solve": lambda read: read.record.blind_solve.need if read.record.blind_solve else None,
}
"""What the list can be filtered by. A new one is a new line here."""

SCORES: dict[str, Callable[[Record], float | None]] = {
    "judges' score": lambda record: record.metadata.quality_score,
    "difference between judges": lambda record: record.metadata.quality_spread,
    "mean grade": lambda record: record.answer_grades.overall_score if record.answer_grades else None,
    "words of the thought": lambda record: len(bare_thought(record.reasoning_trace).split()),
}
"""What the list can be ordered by. A new one is a new line here."""

NOTABLE: dict[str, Callable[[Record], bool]] = {
    "judges far apart": lambda record: (record.metadata.quality_spread or 0) >= FAR_APART,
    "a judge's verdict is missing": lambda record: any(not verdict.scored for verdict in record.verdicts),
    "a step is contradicted": lambda record: any(step.status == "contradicted" for step in record.steps),
    "a step stands outside the passage": lambda record: any(step.status == "outside" for step in record.steps),
    "evidence not found": lambda record: any(not item.verified for item in record.evidence),
    "the text has flags": lambda record: bool(record.source_paper.flags),
    "the model's own thought": lambda record: record.thought == "model",
}
"""What a trace may be worth a look for. A new one is a new line here."""

JUDGED = ("verdicts", "answer_grades", "agreed", "blind_solve")
"""Parts of a record that are shown at once; all others but those of TEXTS are folded away."""
TEXTS = ("reasoning_trace", "final_answer", "steps", "evidence")
NO_LONGER = ("evidence_found",)
"""Figures of older versions' metadata that said nothing: they were the same for every trace."""
EMPTY: tuple[Any, ...] = (None, "", [], {})


class KeptTrace(NamedTuple):
    """What is kept of a trace until the page is written. The `parts` of its record are compressed."""

    row: dict[str, Any]
    passage: str
    parts: bytes


def kept(read: ReadTrace) -> KeptTrace:
    """What the page needs of a trace."""
    record, made = read.record, read.record.generation
    attempt = [f"variation {(made.variation or 0) + 1}, attempt {(made.attempt or 0) + 1}"] if made else []
    row = {
        "key": record.id,
        "question": record.user_interaction.question,
        "about": [record.source_paper.title, record.source_paper.domain, *attempt],
        "asked": record.question_id or record.user_interaction.question,
        "facets": {name: of(read) for name, of in FACETS.items()},
        "notable": [name for name, is_so in NOTABLE.items() if is_so(record)],
        "scores": {name: of(record) for name, of in SCORES.items()},
    }
    return KeptTrace(row, record.source_paper.text or "", zlib.compress(orjson.dumps(_parts(record)), 1))


def packed(traces: Sequence[KeptTrace]) -> Iterator[str]:
    """The rows of traces in their order, and then the pieces that they name."""
    by_passage: dict[str, list[KeptTrace]] = {}
    for trace in traces:
        by_passage.setdefault(trace.passage, []).append(trace)
    for number, together in enumerate(by_passage.values()):
        for at, trace in enumerate(together):
            trace.row.update(piece=number, at=at)
    keys: set[str] = set()
    for number, trace in enumerate(traces):
        # Old traces may have one id, or none.
        if trace.row["key"] is None or trace.row["key"] in keys:
            trace.row["key"] = f"trace-{number}"
        keys.add(trace.row["key"])
    yield _encoded([trace.row for trace in traces])
    for text, together in by_passage.items():
        records = [orjson.loads(zlib.decompress(one.parts)) for one in together]
        yield _encoded({"text": text or None, "records": records})


def _parts(record: Record) -> dict[str, Any]:
    """A record as the page takes it: its texts, and the parts to show, without what they lack, grades excepted."""
    content = {name: part for name, part in record.written().items() if part not in EMPTY}
    for name, part in content.items():
        if isinstance(part, dict) and name != "answer_grades":
            content[name] = {key: value for key, value in part.items() if value not in EMPTY}
    content["source_paper"].pop("text", None)
    for name in NO_LONGER:
        content["metadata"].pop(name, None)
    # A point without a sentence lacks nothing: a step follows from others, and a pitfall stands nowhere.
    points = [
        point.model_dump(include={"kind", "text", "weight"}) | {"rests_on": point.quote or ""}
        for point in record.rubric
    ]
    content |= {"rubric": points} if points else {}
    if lost := content.pop("unchecked", None):
        content["left_out_of_short_answer_and_rubric"] = lost
    judged = {name: content.pop(name) for name in JUDGED if name in content}
    return {name: content.pop(name) for name in TEXTS if name in content} | {"judged": judged, "made": content}


def _encoded(value: Any) -> str:
    return base64.b64encode(zlib.compress(orjson.dumps(value), 9)).decode()
