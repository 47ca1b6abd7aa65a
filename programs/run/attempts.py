"""Reading back what was accepted together with what was rejected: from this, preference data is made without a call.

for traces in read_variations(Path("cosmology.json")):
    for chosen in (one.record for one in traces if one.became == "accepted"):
        pairs += [(chosen, one.record) for one in traces if one.became == "below"]     # DPO

The document holds accepted traces alone; what was turned down is in its journal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from programs.document import read_records
from programs.records import Record
from programs.run.journal import JournalReader
from programs.run.trace_source import find_source, viewed
from programs.traces.line import LEFT_OUT, attempts_of


@dataclass(frozen=True, eq=False)
class ReadTrace:
    """A trace with what became of it (`programs.traces.line.attempts_of`). `left_out`: its question was left out on purpose
    (it repeats another, or gives a benchmark away, or `--keep` does not keep what it needs), and what judges said of it is
    no preference."""

    record: Record
    became: str = "accepted"
    left_out: bool = False


def read_variations(path: Path) -> Iterator[list[ReadTrace]]:
    """Every attempt at each variation that has one, as whole records with their verdicts, in the order in which they were
    made; one variation at a time, in the journal's order. A document means the journal beside it; without one it gives
    its traces, each by itself.

    A run may be writing the journal: it is read as it stands. Raises `UserError` where there is neither or the file is
    something else, `StorageError` for a journal that cannot be read.
    """
    source = find_source(path)
    if source.is_journal:
        with viewed(source.path) as journal:
            yield from variations_in(journal)
    else:
        yield from ([ReadTrace(record)] for record in read_records(source.path))


def variations_in(journal: JournalReader) -> Iterator[list[ReadTrace]]:
    """The same of a journal."""
    for line in journal.variations():
        question = line["key"].rpartition("/")[0]
        left_out = line["status"] in LEFT_OUT or journal.index.turned_down(line["sample"], question)
        if made := list(attempts_of(line)):
            yield [ReadTrace(Record.model_validate(content), became, left_out) for became, content in made]
