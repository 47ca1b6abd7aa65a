"""The review list, `NAME.review.jsonl` beside the document: the traces on which its judges are far apart, for people.

It is made again from the journal whenever the document is, and holds nothing that a person wrote: what people say of the
traces is in a file of its own (`programs.judges.review_labels`). A line is a labelled answer (`programs.judges.labels`)
that lacks its label, with what else a person needs to judge it.
"""

from collections.abc import Iterator
from pathlib import Path

import jsonlines
import orjson
from pydantic import BaseModel

from programs.files import beside, in_place, move_aside
from programs.inputs.sample import content_id
from programs.judges.judge_agreement import AgreementCount
from programs.records import EvidenceRecord, JudgeAgreement, Record, VerdictRecord
from programs.run.journal import Journal
from programs.traces.line import attempts_of

FAR_APART = 3
"""From this difference between two judges' overall ratings on, a trace is for people to look at."""


class ReviewItem(BaseModel):
    """A trace on the list. `id` is its record's; `became` says what became of it (`programs.traces.line.attempts_of`),
    `spread` how far apart its judges are, None with fewer than two. `key_passage` is the passage, or else the evidence;
    None where there is none."""

    id: str
    unit: str
    became: str
    spread: float | None
    title: str
    question: str
    asked_by: str
    key_passage: str | None
    thought: str
    answer: str
    evidence: list[EvidenceRecord]
    verdicts: list[VerdictRecord]


def review_path(document: Path) -> Path:
    """The review list of a document."""
    return beside(document, "review")


def write_review_list(journal: Journal, document: Path) -> JudgeAgreement | None:
    """Writes the list of a document's journal, atomically, and gives how far the judges agree: over every judged attempt,
    those that were turned down included. None, and no list, where nothing was judged.

    Reads the journal's units once, unless no judge was ever asked. A list that somebody wrote into is moved aside. Raises
    `JournalError` when it cannot be written.
    """
    if not journal.index.judges_asked():
        return None
    count, listed, path = AgreementCount(), 0, review_path(document)
    with in_place(path) as file, jsonlines.Writer(file, dumps=orjson.dumps) as writer:
        for item in _far_apart(journal, count):
            writer.write(item.model_dump(mode="json"))
            listed += 1
        _move_foreign_aside(path)
    return count.result(listed)


def _far_apart(journal: Journal, count: AgreementCount) -> Iterator[ReviewItem]:
    """The traces for the list; all verdicts are counted on the way."""
    for line in journal.units():
        for became, content in attempts_of(line):
            if not content.get("verdicts"):
                continue
            count.add(content["verdicts"])
            spread = content["metadata"].get("quality_spread")
            if spread is not None and spread >= FAR_APART:
                yield review_item(line["key"], became, Record.model_validate(content))


def review_item(unit: str, became: str, record: Record) -> ReviewItem:
    """What a person needs to judge a trace."""
    asked = record.user_interaction
    quotes = "\n".join(item.quote for item in record.evidence if item.quote)
    return ReviewItem(
        id=record.id or content_id(f"{asked.question}\0{record.reasoning_trace}\0{record.final_answer}"),
        unit=unit,
        became=became,
        spread=record.metadata.quality_spread,
        title=record.source_paper.title,
        question=asked.question,
        asked_by=f"{asked.audience or 'a reader'} ({asked.difficulty_level})",
        key_passage=record.source_paper.text or quotes or None,
        thought=record.reasoning_trace,
        answer=record.final_answer,
        evidence=record.evidence,
        verdicts=record.verdicts,
    )


def _move_foreign_aside(path: Path) -> None:
    """What is written over must be ours from the first line to the last: nothing that a person added is lost."""
    try:
        with path.open("rb") as lines:
            ours = all(_is_ours(line) for line in lines)
    except FileNotFoundError:
        return
    if not ours:
        move_aside(path)


def _is_ours(line: bytes) -> bool:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) and found.keys() == ReviewItem.model_fields.keys()
