"""The traces that an export can take, one at a time: from the document, or from its journal, which alone has those that
were turned down."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ijson

from programs.attempts import read_units
from programs.document import read_records
from programs.errors import UserError
from programs.exports.format import Candidate
from programs.journals.journal import Journal
from programs.journals.merge_sources import find_sources
from programs.journals.tally import CONTAMINATED, WITHDRAWN


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
        for unit in read_units(self.path):
            if unit.accepted:
                yield Candidate(unit.accepted, position=position)
                position += 1
            # A question was withdrawn as a duplicate or as one of a benchmark's: no trace of it may be trained on.
            if attempts and unit.status not in (WITHDRAWN, CONTAMINATED):
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


def _document_metadata(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = next(iter(ijson.items(file, "metadata", use_float=True)), None)
    except ijson.JSONError as error:
        raise UserError(f"{path} is not a document of this program: {str(error).splitlines()[0]}") from None
    return found if isinstance(found, dict) else {}
