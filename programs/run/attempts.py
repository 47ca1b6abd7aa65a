"""Journals, and documents that have none, read back: what a merge, an export, a report and research code are given.

The document holds accepted traces alone; what was turned down is in its journal. From both together preference data is
made without a call:

for traces in read_variations(Path("cosmology.json")):
    for chosen in (one.record for one in traces if one.became == "accepted"):
        pairs += [(chosen, one.record) for one in traces if one.became == "below"]     # DPO
"""

import contextlib
import glob
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from programs.document import import_document, read_records
from programs.errors import StorageError, UserError
from programs.files import JOURNAL, beside, whole_lines
from programs.inputs.sample import bytes_id
from programs.records import Record
from programs.run.index import Index
from programs.run.journal import START_BYTES, Journal, JournalReader, is_journal
from programs.traces.line import LEFT_OUT, attempts_of


@dataclass(frozen=True, eq=False)
class ReadTrace:
    """A trace with what became of it (`programs.traces.line.attempts_of`). `left_out`: its question was left out on purpose
    (as a duplicate, a benchmark's, or by `--keep`), and what judges said of it is no preference."""

    record: Record
    became: str = "accepted"
    left_out: bool = False


def read_variations(path: Path) -> Iterator[list[ReadTrace]]:
    """Every attempt at each variation that has one, in the order in which they were made; one variation at a time, in the
    journal's order. A document means the journal beside it; without one it gives its traces, each by itself.

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
    for line in journal.variations():
        question = line["key"].rpartition("/")[0]
        left_out = line["status"] in LEFT_OUT or journal.index.turned_down(line["sample"], question)
        if made := list(attempts_of(line)):
            yield [ReadTrace(Record.model_validate(content), became, left_out) for became, content in made]


@dataclass(frozen=True)
class TraceSource:
    """A file that traces are read from. Invariant: what `is_journal` was seen to begin as one, or is empty: opening a
    journal cuts off a torn last line, which no other file of the user must lose."""

    path: Path
    is_journal: bool

    @contextlib.contextmanager
    def opened(self, folder: Path) -> Iterator[Journal]:
        """The journal, or one in `folder` that holds what the document does. Raises `UserError` when that cannot be."""
        made = folder / f"{bytes_id(os.fsencode(self.path.resolve()))}.imported.jsonl"
        with Journal(self.path if self.is_journal else made) as journal:
            if not self.is_journal and not journal.index.counts():
                try:
                    import_document(journal, self.path)
                except UserError:
                    raise UserError(f"{self.path} is neither a journal nor a document of this program") from None
            yield journal


@contextlib.contextmanager
def viewed(path: Path) -> Iterator[JournalReader]:
    """A journal as it stands at this moment, without its lock: what a run writes later is not seen. Its index is made anew
    in the temporary folder, and nothing beside it is changed. Raises `UserError` for a file that is none, `StorageError`
    for one that cannot be read."""
    with contextlib.ExitStack() as held:
        try:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="synthreasoner-")))
            file = os.open(path, os.O_RDONLY)
            held.callback(os.close, file)
            if not is_journal(os.pread(file, START_BYTES, 0), torn=True):
                raise UserError(f"{path} is no journal of this program")
            index = Index(folder / "index", path, file, whole_lines(file))
            held.callback(index.close)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
        yield JournalReader(path, file, index)


def find_source(path: Path) -> TraceSource:
    """The one source that a name means. Raises `UserError` as `find_sources` does, and for one that means several."""
    found, *others = find_sources([str(path)])
    if others:
        raise UserError(f"{path} names several files; name one (python -m programs.merge makes one of several)")
    return found


def find_sources(patterns: Sequence[str]) -> list[TraceSource]:
    """What names and wildcards mean, in the order given, each once. A document whose journal lies beside it means its
    journal. Raises `UserError` for what is missing, cannot be read or is a folder."""
    found: dict[Path, TraceSource] = {}
    for pattern in patterns:
        wild = glob.has_magic(pattern) and not Path(pattern).exists()
        # Path.glob takes no absolute pattern.
        names = sorted(glob.iglob(pattern)) if wild else [pattern]  # noqa: PTH207
        if not names:
            raise UserError(f"nothing matches {pattern}")
        try:
            for source in map(_source, map(Path, names)):
                found.setdefault(source.path.resolve(), source)
        except OSError as error:
            raise UserError(f"cannot read {pattern}: {error.strerror}") from None
    return list(found.values())


def _source(path: Path) -> TraceSource:
    journal = beside(path, JOURNAL)
    if journal.is_file():
        return TraceSource(journal, is_journal=True)
    if path.is_dir():
        raise UserError(f"{path} is a folder; name journals or documents")
    if not path.exists():
        raise UserError(f"there is neither {path} nor {journal}")
    with path.open("rb") as file:
        return TraceSource(path, is_journal=is_journal(file.read(START_BYTES)))
