"""Reading back what was accepted together with what was rejected: from this, preference data is made without a call.

for variation in read_variations(Path("cosmology.json")):
    if variation.accepted:
        pairs += [(variation.question, variation.accepted, rejected) for rejected in variation.rejected]     # DPO

The document holds accepted traces alone; what was turned down is in its journal.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from programs.document import read_records
from programs.records import Record
from programs.rejection import Rejection
from programs.run.trace_source import find_source, viewed
from programs.traces.line import LEFT_OUT, Line, attempts_of


@dataclass(frozen=True, eq=False)
class ReadTrace:
    """A trace with what became of it (`programs.traces.line.attempts_of`)."""

    record: Record
    became: str = "accepted"


@dataclass
class VariationAttempts:
    """One variation of one question, with every attempt at it as a whole record: its verdicts, and its grades where it
    was graded.

    `accepted` is the trace that the document holds; `rejected` are those that the judges turned down, and own thoughts that
    came to another answer, in order; `others` were not taken for another reason: unjudged, duplicate, contaminated, or
    unused (earlier rules asked for them). `left_out`: the question was left out on purpose (it repeats another, or gives a
    benchmark away, or `--keep` does not keep what it needs), and what judges said of its attempts is no preference.
    """

    key: str
    status: str
    rejection: Rejection | None = None
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


def read_variations(path: Path) -> Iterator[VariationAttempts]:
    """The variations of a document or its journal that have an attempt, one at a time, in the journal's order. A document
    means the journal beside it; without one it gives its traces, and nothing rejected.

    A run may be writing the journal: it is read as it stands. Raises `UserError` where there is neither or the file is
    something else, `JournalError` for a journal that cannot be read.
    """
    source = find_source(path)
    if not source.is_journal:
        for record in read_records(source.path):
            yield VariationAttempts(record.unit, "accepted", accepted=record)
        return
    with viewed(source.path) as journal:
        for line in journal.variations():
            variation = _read(line)
            if variation.records:
                question = variation.key.rpartition("/")[0]
                turned_down = journal.index.turned_down(line["sample"], question)
                variation.left_out = variation.status in LEFT_OUT or turned_down
                yield variation


def _read(line: Line) -> VariationAttempts:
    rejection = Rejection.model_validate(line["rejection"]) if line["rejection"] else None
    variation = VariationAttempts(line["key"], line["status"], rejection)
    for became, content in attempts_of(line):
        record = Record.model_validate(content)
        if became == "accepted":
            variation.accepted = record
        elif became == "below":
            variation.rejected.append(record)
        else:
            variation.others.append((became, record))
    return variation
