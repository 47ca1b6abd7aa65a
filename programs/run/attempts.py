"""Reading back what was accepted together with what was rejected: from this, preference data is made without a call.

for unit in read_units(Path("cosmology.json")):
    if unit.accepted:
        pairs += [(unit.question, unit.accepted, rejected) for rejected in unit.rejected]     # DPO

The document holds accepted traces alone; what was turned down is in its journal.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from programs.document import read_records
from programs.errors import UserError
from programs.records import Record
from programs.run.journal import Journal
from programs.run.merge_sources import find_sources
from programs.traces.unit_line import CONTAMINATED, WITHDRAWN, attempts_of

LEFT_OUT = (WITHDRAWN, CONTAMINATED)


@dataclass
class UnitAttempts:
    """One variation of one question, with every attempt at it as a whole record: its verdicts, and its grades where it
    was graded.

    `accepted` is the trace that the document holds; `rejected` are those that the judges turned down, and own
    thoughts that came to another answer, in order; `others`
    were not taken for another reason: unjudged, duplicate, contaminated, or unused (earlier rules asked for them). `status`
    and `reason` are the journal's. `left_out` says that the question was left out on purpose (it repeats another, or gives
    a benchmark away, or `--keep` does not keep what it needs): what judges said of such attempts is no preference.
    """

    key: str
    status: str
    reason: str | None = None
    left_out: bool = False
    accepted: Record | None = None
    rejected: list[Record] = field(default_factory=list)
    others: list[tuple[str, Record]] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        """All attempts."""
        return [*([self.accepted] if self.accepted else []), *self.rejected, *(record for _, record in self.others)]

    @property
    def question(self) -> str:
        """The question, which all attempts have in common."""
        return self.records[0].user_interaction.question


def read_units(path: Path) -> Iterator[UnitAttempts]:
    """The units of a document or its journal that have an attempt, one at a time, in the journal's order. A document
    means the journal beside it; without one it gives its traces, and nothing rejected.

    Raises `UserError` where there is neither, where the file is something else, or while a run is writing the journal.
    """
    found = find_sources([str(path)])
    if len(found) != 1:
        raise UserError(f"{path} names {len(found)} files; name one")
    (source,) = found
    yield from _in_journal(source.path) if source.is_journal else _in_document(source.path)


def _in_journal(path: Path) -> Iterator[UnitAttempts]:
    with Journal(path) as journal:
        for line in journal.units():
            unit = _unit(line)
            if unit.records:
                question = unit.key.rpartition("/")[0]
                unit.left_out = unit.status in LEFT_OUT or journal.index.turned_down(line["sample"], question)
                yield unit


def _in_document(path: Path) -> Iterator[UnitAttempts]:
    for record in read_records(path):
        yield UnitAttempts(record.unit, "accepted", accepted=record)


def _unit(line: dict[str, Any]) -> UnitAttempts:
    unit = UnitAttempts(line["key"], line["status"], line["reason"])
    for became, content in attempts_of(line):
        record = Record.model_validate(content)
        if became == "accepted":
            unit.accepted = record
        elif became == "below":
            unit.rejected.append(record)
        else:
            unit.others.append((became, record))
    return unit
