"""Reads journals, and documents without a journal, for merges, exports, reports and research code.

The document holds accepted traces only; rejected attempts are in its journal. Both together give preference data without
any model call:

for traces in read_variations(Path("cosmology.json")):
    for chosen in (trace.record for trace in traces if trace.outcome == "accepted"):
        pairs += [(chosen, trace.record) for trace in traces if trace.outcome == "below"]     # DPO
"""

import contextlib
import glob
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from programs.errors import StorageError, UserError
from programs.files import JOURNAL, end_of_last_line, path_beside
from programs.inputs.sample import bytes_id
from programs.records import Record
from programs.run.document import import_document, read_records
from programs.run.index import Index
from programs.run.journal import START_BYTES, Journal, JournalReader, is_journal
from programs.traces.line import LEFT_OUT, attempts_of


@dataclass(frozen=True, eq=False)
class ReadTrace:
    """A trace and its outcome (`programs.traces.line.attempts_of`). `left_out`: its question was dropped on
    purpose (a duplicate, a benchmark's, or by `--keep`), so that the judges' verdicts on it express no preference."""

    record: Record
    outcome: str = "accepted"
    left_out: bool = False


def read_variations(path: Path) -> Iterator[list[ReadTrace]]:
    """Yields a list of the attempts at each variation that has some (`programs.traces.line.attempts_of`), in the journal's
    order. For a document, reads the journal beside it; without one, each of the document's traces is a list of its own.

    A run may be writing the journal: it is read as it is at this moment. Raises `UserError` if there is neither a journal
    nor a document, `StorageError` if the journal cannot be read.
    """
    source = find_source(path)
    if source.is_journal:
        with open_read_only(source.path) as journal:
            yield from attempts_by_variation(journal)
    else:
        yield from ([ReadTrace(record)] for record in read_records(source.path))


def attempts_by_variation(journal: JournalReader) -> Iterator[list[ReadTrace]]:
    for line in journal.variations():
        question = line["key"].rpartition("/")[0]
        left_out = line["status"] in LEFT_OUT or journal.index.rejected_for_need(line["sample"], question)
        if attempts := list(attempts_of(line)):
            yield [ReadTrace(Record.model_validate(record), outcome, left_out) for outcome, record in attempts]


@dataclass(frozen=True)
class TraceSource:
    """A file to read traces from. `is_journal`: it has the name of a document's journal, starts like a journal, or is
    empty. Opening a journal cuts off a torn last line, so no other file may be marked as one."""

    path: Path
    is_journal: bool

    @contextlib.contextmanager
    def open_journal(self, folder: Path) -> Iterator[Journal]:
        """Opens the journal, or one in `folder` with the document's traces. Raises `UserError` if the file is neither."""
        imported = folder / f"{bytes_id(os.fsencode(self.path.resolve()))}.imported.jsonl"
        with Journal(self.path if self.is_journal else imported) as journal:
            if not self.is_journal and not journal.index.counts():
                try:
                    import_document(journal, self.path)
                except UserError:
                    raise UserError(f"{self.path} is neither a journal nor a document of this program") from None
            yield journal


@contextlib.contextmanager
def open_read_only(path: Path) -> Iterator[JournalReader]:
    """Opens a journal read-only as it is at this moment, without its lock; lines that a run appends later are not seen. The
    index is built in a temporary folder, and no file beside the journal is changed. Raises `UserError` if the file is not
    a journal, `StorageError` if it cannot be read."""
    with contextlib.ExitStack() as held:
        try:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="synthreasoner-")))
            file = os.open(path, os.O_RDONLY)
            held.callback(os.close, file)
            if not is_journal(os.pread(file, START_BYTES, 0), torn=True):
                raise UserError(f"{path} is not a journal of this program")
            index = Index(folder / "index", path, file, end_of_last_line(file))
            held.callback(index.close)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
        yield JournalReader(path, file, index)


def find_source(path: Path) -> TraceSource:
    """The source that `path` names. Raises `UserError` as `find_sources` does, and if a wildcard matches several."""
    found, *others = find_sources([str(path)])
    if others:
        raise UserError(f"{path} matches several files; name one (python -m programs.merge combines several into one)")
    return found


def find_sources(patterns: Sequence[str]) -> list[TraceSource]:
    """The sources that names and wildcards match, in the order given, each once; instead of a document with a journal
    beside it, that journal. Raises `UserError` if a source is missing, cannot be read or is a folder."""
    found: dict[Path, TraceSource] = {}
    for pattern in patterns:
        is_wildcard = glob.has_magic(pattern) and not Path(pattern).exists()
        # Path.glob does not take absolute patterns.
        names = sorted(glob.iglob(pattern)) if is_wildcard else [pattern]  # noqa: PTH207
        if not names:
            raise UserError(f"nothing matches {pattern}")
        try:
            for source in map(_source, map(Path, names)):
                found.setdefault(source.path.resolve(), source)
        except OSError as error:
            raise UserError(f"cannot read {pattern}: {error.strerror}") from None
    return list(found.values())


def _source(path: Path) -> TraceSource:
    journal = path_beside(path, JOURNAL)
    if journal.is_file():
        return TraceSource(journal, is_journal=True)
    if path.is_dir():
        raise UserError(f"{path} is a folder; name journals or documents")
    if not path.exists():
        missing = f"no {path}" if path.name.endswith(JOURNAL) else f"neither {path} nor {journal}"
        raise UserError(f"there is {missing}")
    with path.open("rb") as file:
        return TraceSource(path, is_journal=is_journal(file.read(START_BYTES)))
