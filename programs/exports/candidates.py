"""The traces that an export can take, one at a time or question by question: from the document, or from its journal, which
alone has those that were turned down."""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import ijson
import orjson

from programs.document import read_records
from programs.errors import UserError
from programs.exports.format import Candidate
from programs.inputs.sample import content_id
from programs.records import Record
from programs.run.attempts import read_variations
from programs.run.journal import Journal
from programs.run.merge_sources import find_sources

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
create table question (number integer primary key, name text unique);
create table trace (question integer, packed blob);
create index of_question on trace (question);
"""


@dataclass(frozen=True)
class Origin:
    """Where traces are read. `document` is the document, where there is one; `note` says what this origin lacks, if
    anything."""

    path: Path
    is_journal: bool
    document: Path | None = None
    note: str | None = None

    @classmethod
    def find(cls, path: Path, attempts: bool) -> "Origin":
        """What a name means: with `attempts` the journal, where there is one; else the document, which can also be read
        while a run goes on. Raises `UserError` where there is neither."""
        found = find_sources([str(path)])
        if len(found) != 1:
            raise UserError(
                f"{path} names {len(found)} files; name one (python -m programs.merge makes one of several)"
            )
        (source,) = found
        document = path if path.is_file() and source.path != path else None
        if source.is_journal and (attempts or document is None):
            return cls(source.path, True, document)
        lacking = f"{path} has no journal beside it: a document holds no trace that was turned down"
        return cls(path, False, path, lacking if attempts else None)

    def candidates(self, attempts: bool) -> Iterator[Candidate]:
        """The traces in order; with `attempts` also those that were judged and not taken. Raises `UserError` for a file
        that is none of ours, or a journal that a run is writing."""
        if not self.is_journal:
            for position, record in enumerate(read_records(self.path)):
                yield Candidate(record, position=position)
            return
        position = 0
        for unit in read_variations(self.path):
            if unit.accepted:
                yield Candidate(unit.accepted, position=position)
                position += 1
            # Nothing is preferred to what was turned down for its question's sake, not for its own.
            if attempts and not unit.left_out:
                yield from (Candidate(record, "below") for record in unit.rejected)
                yield from (Candidate(record, "unused") for became, record in unit.others if became == "unused")

    def metadata(self) -> dict[str, Any]:
        """What the document says about itself, and over that what the journal's latest run says: its `status`, its
        summary as `run`, `versions` and `git_commit`."""
        said = {} if self.document is None else _document_metadata(self.document)
        if not self.is_journal:
            return said
        with Journal(self.path) as journal:
            last = journal.latest("run", "") or {}
        names = {"status": "status", "versions": "versions", "git_commit": "git_commit", "summary": "run"}
        return said | {name: last[field] for field, name in names.items() if field in last}


def by_question(candidates: Iterable[Candidate], folder: Path) -> Iterator[list[Candidate]]:
    """The candidates of each question, wherever they stand in the input, in the order in which the questions first came,
    at a memory of one question's traces. Keeps what it writes in `folder` until it is done."""
    with tempfile.TemporaryDirectory(prefix=".questions-", dir=folder) as home:
        file = sqlite3.connect(Path(home, "traces.sqlite"))
        try:
            file.executescript(_SCHEMA)
            for candidate in candidates:
                question = _question(candidate.record)
                file.execute("insert or ignore into question (name) values (?)", (question,))
                file.execute(
                    "insert into trace select number, ? from question where name = ?", (_packed(candidate), question)
                )
            traces = file.execute("select question, packed from trace order by question, rowid")
            for _, group in groupby(traces, key=lambda trace: trace[0]):
                yield [_unpacked(packed) for _, packed in group]
        finally:
            file.close()


def _question(record: Record) -> str:
    """A question of a text. The words too: a merged journal may hold several under one name."""
    source = record.source_paper
    name = record.question_id or f"{source.id or source.title}"
    return content_id(f"{name}\0{record.user_interaction.question}")


def _packed(candidate: Candidate) -> bytes:
    return orjson.dumps([candidate.record.model_dump(mode="json"), candidate.became, candidate.position])


def _unpacked(line: bytes) -> Candidate:
    record, became, position = orjson.loads(line)
    return Candidate(Record.model_validate(record), became, position)


def _document_metadata(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = next(iter(ijson.items(file, "metadata", use_float=True)), None)
    except ijson.JSONError as error:
        raise UserError(f"{path} is not a document of this program: {str(error).splitlines()[0]}") from None
    return found if isinstance(found, dict) else {}
