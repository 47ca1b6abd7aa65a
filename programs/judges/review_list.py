"""The traces that a person looks at: the review list, `NAME.review.jsonl` beside the document, of those on which its judges
are far apart; or a random sample of all.

The list is made again from the journal whenever the document is, and holds nothing that a person wrote: what people say of
the traces is in a file of its own (`programs.judges.walk`). A line is a labelled answer (`programs.judges.labels`) that
lacks its label, with what else a person needs to judge it.
"""

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from programs.document_metadata import JudgeAgreement
from programs.errors import UserError
from programs.files import beside, in_place, move_aside
from programs.inputs.sample import content_id
from programs.judges.agreement import AgreementCount
from programs.records import Evidence, Record, Verdict
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
    evidence: list[Evidence]
    verdicts: list[Verdict]


def review_path(document: Path) -> Path:
    """The review list of a document."""
    return beside(document, "review")


def write_review_list(journal: Journal, document: Path) -> JudgeAgreement | None:
    """Writes the list of a document's journal, atomically, and gives how far the judges agree: over every judged attempt,
    those that were turned down included. None, and no list, where nothing was judged.

    Reads the journal's variations once, unless no judge was ever asked. A list that somebody wrote into is moved aside.
    Raises `JournalError` when it cannot be written.
    """
    if not journal.index.judges_asked():
        return None
    count, listed, path = AgreementCount(), 0, review_path(document)
    with in_place(path) as file:
        for line in journal.variations():
            for became, content in attempts_of(line):
                if not content.get("verdicts"):
                    continue
                count.add(content["verdicts"])
                if (content["metadata"].get("quality_spread") or 0) >= FAR_APART:
                    item = review_item(line["key"], became, Record.model_validate(content))
                    file.write(orjson.dumps(item.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE))
                    listed += 1
        # What is written over must be ours from the first line to the last: nothing that a person added is lost.
        if path.exists() and not _is_ours(path):
            move_aside(path)
    return count.result(listed)


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as lines:
            return all(orjson.loads(line).keys() == ReviewItem.model_fields.keys() for line in lines)
    except (orjson.JSONDecodeError, AttributeError):
        return False


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


class ReviewList(Sequence[ReviewItem]):
    """The traces of a list, read one at a time; a list that is made again meanwhile takes another file's place, and this
    one stays as it was. Raises `UserError` for a file that cannot be read or is no review list."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None
        self._starts: list[int] = []
        while line := self._file.readline():
            if line.strip():
                self._starts.append(self._file.tell() - len(line))

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: Any) -> Any:
        self._file.seek(self._starts[number])
        try:
            return ReviewItem.model_validate(orjson.loads(self._file.readline()))
        except (orjson.JSONDecodeError, ValidationError):
            raise UserError(
                f"{self.path}:{number + 1} is no trace of a review list; make it again with python -m programs.document"
            ) from None

    def close(self) -> None:
        self._file.close()


def review_sample(path: Path, size: int, seed: int) -> list[ReviewItem]:
    """`size` traces of a document's journal, every one as likely as any other: accepted ones, and those that its judges
    turned down. So what people say of them holds for the whole run. With the same seed it is the same sample, and a larger
    one holds the smaller, in the same order. Memory: the traces of the sample. Raises what `read_variations` raises.
    """

    def drawn(item: ReviewItem) -> bytes:
        return hashlib.blake2b(f"review/{seed}/{item.id}".encode(), digest_size=8).digest()

    return heapq.nsmallest(size, _judged(path), key=drawn)


def _judged(path: Path) -> Iterator[ReviewItem]:
    # Reading attempts imports the document, which writes the list.
    from programs.run.attempts import read_variations

    for unit in read_variations(path):
        if not unit.left_out:
            if unit.accepted:
                yield review_item(unit.key, "accepted", unit.accepted)
            yield from (review_item(unit.key, "below", record) for record in unit.rejected)
