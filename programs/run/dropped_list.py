"""The list of what was left out, `NAME.dropped.jsonl` beside the document: questions that repeat others or give a
benchmark away, and traces that do. Made from the journal, which alone counts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonlines
import orjson
from pydantic import BaseModel

from programs.files import beside, in_place
from programs.run.journal import Journal
from programs.traces.line import CONTAMINATED, attempts_of, rejection_of


class Dropped(BaseModel):
    """A question that was left out, or a trace that was: `unit` names it, or with `attempt`, the record's id, an attempt at
    it that was turned down and is left out of preference data. `twin` says where the other one stands: a text's
    hash and question type, or the rule with a benchmark's file and line; `twin_text` is that one's question."""

    sample: str
    question_type: str
    unit: str | None = None
    attempt: str | None = None
    question: str
    why: str
    twin: str
    twin_text: str | None = None


def dropped_path(document: Path) -> Path:
    """The list of a document."""
    return beside(document, "dropped")


def write_dropped(journal: Journal, document: Path) -> int:
    """Writes the list, atomically, and says how much is on it. Where the latest run left nothing out on purpose, there is
    none, or the old one is made to say what is still left out. Raises `JournalError` when it cannot be written."""
    listed = 0
    rules = (journal.latest("run", "") or {}).get("question_rules")
    if not rules and not dropped_path(document).exists():
        return listed
    with in_place(dropped_path(document)) as file, jsonlines.Writer(file, dumps=orjson.dumps) as writer:
        for item in _dropped(journal):
            writer.write(item.model_dump(mode="json", exclude_none=True))
            listed += 1
    return listed


def _dropped(journal: Journal) -> Iterator[Dropped]:
    for pool in journal.pools(dropped=True):
        for question in pool["dropped"]:
            yield Dropped(
                sample=pool["key"],
                question_type=question["type"],
                question=question["text"],
                why=question["why"],
                twin=question["twin"],
                twin_text=question["twin_text"],
            )
    for line in journal.given_away():
        if line["status"] == CONTAMINATED:
            rejection = rejection_of(line)
            yield _trace(line, rejection.detail if rejection else "")
        else:
            yield from (_trace(line, twin, attempt) for attempt, twin in line["contaminated"].items())


def _trace(line: dict[str, Any], twin: str, attempt: str | None = None) -> Dropped:
    sample, kind, _ = line["key"].split("/")
    _, record = next(attempts_of(line))
    question = record["user_interaction"]["question"]
    return Dropped(
        sample=sample,
        question_type=kind,
        unit=line["key"],
        attempt=attempt,
        question=question,
        why=CONTAMINATED,
        twin=twin,
    )
