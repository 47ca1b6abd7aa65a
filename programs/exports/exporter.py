"""From a document or a journal to a folder of data files with their card, one trace (or one question) at a time."""

import contextlib
import pickle
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import jsonlines
import orjson

from programs.document import read_metadata, read_records
from programs.errors import UserError
from programs.exports.card import Exported, card
from programs.exports.options import ExportOptions, shares_of, split_of
from programs.exports.screening import Screen, screening
from programs.exports.view import Columns, Row
from programs.inputs.papers import source_key
from programs.inputs.sample import content_id
from programs.run.attempts import ReadTrace, find_source, variations_in, viewed
from programs.run.journal import JournalReader

MANIFEST = "export.json"
"""By it a folder is known to be an export, which alone is ever replaced."""


class Origin(NamedTuple):
    """Where traces are read: the document, or its journal, which alone has those that were turned down. `note` says what
    this origin lacks, if anything."""

    path: Path
    journal: JournalReader | None
    document: Path | None
    attempts: bool
    note: str | None = None

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path, attempts: bool = False) -> Iterator["Origin"]:
        """What a name means, as it stands at this moment: with `attempts` the journal, if any. Raises `UserError`."""
        found = find_source(path)
        document = path if path.is_file() and found.path != path else None
        if found.is_journal and (attempts or document is None):
            with viewed(found.path) as journal:
                yield cls(found.path, journal, document, attempts)
        else:
            lacks = f"{path} has no journal beside it: a document holds no trace that was turned down"
            yield cls(path, None, path, attempts, lacks if attempts else None)

    def traces(self) -> Iterator[ReadTrace]:
        """The traces in order; with `attempts` also those judged and not taken. Raises `UserError` for a foreign file."""
        if self.journal is None:
            yield from map(ReadTrace, read_records(self.path))
            return
        for trace in chain.from_iterable(variations_in(self.journal)):
            # Nothing is preferred to what was turned down for its question's sake, not for its own.
            judged = trace.became in ("below", "unused") and not trace.left_out
            if trace.became == "accepted" or (self.attempts and judged):
                yield trace

    def metadata(self) -> dict[str, Any]:
        """What the document says about itself, and over that the status and summary (`run`) of the journal's latest run."""
        said = {} if self.document is None else read_metadata(self.document)
        last = (self.journal and self.journal.latest("run", "")) or {}
        latest = {"status": last.get("status"), "run": last.get("summary")}
        return said | {name: value for name, value in latest.items() if value}


def by_question(traces: Iterable[ReadTrace]) -> Iterator[list[ReadTrace]]:
    """The traces of each question, in the order in which the questions first came, at a memory of one's traces."""
    # Without a name SQLite keeps a database in the system's folder for temporary files, and removes it.
    with contextlib.closing(sqlite3.connect("")) as database:
        database.execute("create table trace (question text, packed blob)")
        for trace in traces:
            record = trace.record
            text = record.question_id or record.source_paper.id or record.source_paper.title
            # The words too: a merged journal may hold several questions under one name.
            name = content_id(f"{text}\0{record.user_interaction.question}")
            database.execute("insert into trace values (?, ?)", (name, pickle.dumps(trace)))
        query = "select min(rowid) over (partition by question) first, packed from trace order by first, rowid"
        for _, group in groupby(database.execute(query), key=itemgetter(0)):
            yield [pickle.loads(packed) for _, packed in group]


def export(options: ExportOptions) -> Exported:
    """Writes the folder. Raises `UserError`, also for an export without a row; then there is no folder, or the old one."""
    format, shares = options.format, shares_of(options.splits)
    with (
        Origin.opened(options.document, format.attempts) as origin,
        new_folder(options.output, options.overwrite) as folder,
        screening(options) as screen,
    ):
        done = Exported(options, origin.journal is not None, origin.note, origin.metadata())
        kept = _kept(origin.traces(), screen, done)
        with DataFiles(folder / "data", format.columns(options)) as files:
            for traces in by_question(kept) if format.grouped else ([one] for one in kept):
                split, rows = split_of(source_key(traces[0].record.source_paper), shares), list[Row]()
                for row in format.rows(traces, options):
                    if isinstance(row, str):
                        done.count("skipped", row)
                    else:
                        files.add(split, row)
                        rows.append(row)
                if rows:
                    done.add(split, rows, traces)
        if not done.rows:
            raise UserError(f"nothing to export to {format.name}: {_why(origin, done)}")
        (folder / "README.md").write_text(card(done), encoding="utf-8")
        if format.package is not None:
            format.package(folder, options.output)
        (folder / MANIFEST).write_bytes(orjson.dumps(done.manifest(), option=orjson.OPT_INDENT_2))
    return done


def _kept(traces: Iterable[ReadTrace], screen: Screen, done: Exported) -> Iterator[ReadTrace]:
    for trace in traces:
        done.count("read", trace.became)
        if (left_out := screen(trace.record)) is None:
            yield trace
        else:
            done.count("skipped", left_out.reason)
            if left_out.example:
                done.examples.setdefault(left_out.reason, left_out.example)


def _why(origin: Origin, done: Exported) -> str:
    if not (read := done.counts["read"].total()):
        return f"{origin.path} holds no trace"
    reasons = "; ".join(f"{count} x {reason}" for reason, count in done.counts["skipped"].most_common(3))
    return f"{read} traces read, none left: {reasons}{f'. {origin.note}' if origin.note else ''}"


class DataFiles(contextlib.ExitStack):
    """The files of all splits, in a new `folder`. They are whole at the end of the block."""

    def __init__(self, folder: Path, columns: Columns) -> None:
        super().__init__()
        folder.mkdir()
        self._folder, self._columns, self._open = folder, columns, dict[str, jsonlines.Writer]()

    def add(self, split: str, row: Row) -> None:
        """Writes the columns of a row, which has them all, to a split."""
        if split not in self._open:
            file = jsonlines.open(self._folder / f"{split}.jsonl", "x", dumps=orjson.dumps)
            self._open[split] = self.enter_context(file)
        self._open[split].write({column: row[column] for column in self._columns})


@contextlib.contextmanager
def new_folder(path: Path, overwrite: bool) -> Iterator[Path]:
    """A folder to write into; when the block ends well it takes its place at `path` (of what it points to, where it is a
    link), otherwise nothing is left. An export there is replaced with `overwrite` only, and by a whole one; killed between
    the two renames, the old one lies beside it. Raises `UserError` where something else is there, or cannot be written."""
    path = path.resolve()
    _check_free(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True) as made:
            draft, replaced = Path(made) / "draft", Path(made) / "replaced"
            draft.mkdir()
            yield draft
            _check_free(path, overwrite)
            try:
                if path.exists():
                    path.rename(replaced)
                draft.rename(path)
            except BaseException:
                if replaced.exists() and not path.exists():
                    replaced.rename(path)
                raise
    except (OSError, sqlite3.Error) as error:
        raise UserError(f"--output: cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def _check_free(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / MANIFEST).is_file():
        raise UserError(f"--output: {path} is there and is no export; name another")
    if not overwrite:
        raise UserError(f"--output: {path} holds an export; name another, or replace it with --overwrite")
