"""The list of what was left out, `NAME.dropped.jsonl` beside the document: questions that repeat others or give a
benchmark away, and traces that do. Made from the journal, which alone counts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonlines
import orjson
from pydantic import BaseModel

from programs.files.beside import beside
from programs.files.in_place import in_place
from programs.journals.journal import Journal
from programs.journals.tally import CONTAMINATED


class Dropped(BaseModel):
    """A question that was left out, or a trace (`unit` names it) that was. `twin` says where the other one stands: a text's
    hash and question type, or the rule with a benchmark's file and line; `twin_text` is that one's question."""

    sample: str
    question_type: str
    unit: str | None = None
    question: str
    why: str
    twin: str
    twin_text: str | None = None


def dropped_path(document: Path) -> Path:
    """The list of a document."""
    return beside(document, "dropped")


def write_dropped(journal: Journal, document: Path) -> int:
    """Writes the list, atomically, and says how much is on it. Raises `JournalError` when it cannot be written."""
    listed = 0
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
    for line in journal.units(CONTAMINATED):
        sample, kind, _ = line["key"].split("/")
        yield Dropped(
            sample=sample,
            question_type=kind,
            unit=line["key"],
            question=_question(line),
            why=CONTAMINATED,
            twin=line["reason"],
        )


def _question(line: dict[str, Any]) -> str:
    return str(line["attempts"][-1]["user_interaction"]["question"])
