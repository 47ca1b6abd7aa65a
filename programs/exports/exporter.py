"""Turns a document or a journal into a folder of data files with a card, one trace (or one question) at a time."""

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

from programs.errors import UserError
from programs.exports.card import Exported, card_text
from programs.exports.options import ExportOptions, parse_shares, split_of
from programs.exports.screening import Screen, screening
from programs.exports.view import Columns, Row, paper_question_key
from programs.inputs.papers import source_key
from programs.run.attempts import ReadTrace, attempts_by_variation, find_source, open_read_only
from programs.run.document import read_metadata, read_records
from programs.run.journal import JournalReader

MANIFEST = "export.json"
"""A folder that holds this file is an export; no other folder is ever replaced."""


class Origin(NamedTuple):
    """Where traces are read from. Only a journal has rejected traces; `note` says so if they are wanted but missing."""

    path: Path
    journal: JournalReader | None
    document: Path | None
    with_attempts: bool
    note: str | None = None

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, with_attempts: bool = False) -> Iterator["Origin"]:
        """Opens the document; `with_attempts`, or without a document, its journal as it is now. Raises `UserError`."""
        found = find_source(path)
        document = path if path.is_file() and found.path != path else None
        if found.is_journal and (with_attempts or document is None):
            with open_read_only(found.path) as journal:
                yield cls(found.path, journal, document, with_attempts)
        else:
            note = f"{path} has no journal beside it, and a document has no rejected traces"
            yield cls(path, None, path, with_attempts, note if with_attempts else None)

    def traces(self) -> Iterator[ReadTrace]:
        """The accepted traces in order; `with_attempts`, also other judged ones. Raises `UserError` for a foreign file."""
        if self.journal is None:
            yield from map(ReadTrace, read_records(self.path))
            return
        for trace in chain.from_iterable(attempts_by_variation(self.journal)):
            # A trace that was left out because of its question says nothing about preference.
            judged = trace.outcome in ("below", "unused") and not trace.left_out
            if trace.outcome == "accepted" or (self.with_attempts and judged):
                yield trace

    def metadata(self) -> dict[str, Any]:
        """The document's metadata, updated with the status and summary (`run`) of the journal's latest run."""
        own = {} if self.document is None else read_metadata(self.document)
        last = (self.journal and self.journal.latest("run", "")) or {}
        latest = {"status": last.get("status"), "run": last.get("summary")}
        return own | {name: value for name, value in latest.items() if value}


def group_by_question(traces: Iterable[ReadTrace]) -> Iterator[list[ReadTrace]]:
    """Groups traces by question, in the order of the questions' first traces. Holds one question's traces in memory."""
    # A database without a name is a temporary file, which SQLite removes.
    with contextlib.closing(sqlite3.connect("")) as database:
        database.execute("create table trace (question text, packed blob)")
        for trace in traces:
            database.execute("insert into trace values (?, ?)", (paper_question_key(trace.record), pickle.dumps(trace)))
        query = "select min(rowid) over (partition by question) first, packed from trace order by first, rowid"
        for _, group in groupby(database.execute(query), key=itemgetter(0)):
            yield [pickle.loads(packed) for _, packed in group]


def export(options: ExportOptions) -> Exported:
    """Writes the folder. Raises `UserError`, also if there is no row; an export that was there is then unchanged."""
    format, shares = options.format, parse_shares(options.splits)
    with (
        Origin.open(options.document, format.with_attempts) as origin,
        atomic_folder(options.output, options.overwrite) as folder,
        screening(options) as screen,
    ):
        exported = Exported(options, origin.journal is not None, origin.note, origin.metadata())
        kept = _screened(origin.traces(), screen, exported)
        with DataFiles(folder / "data", format.columns(options)) as files:
            for traces in group_by_question(kept) if format.per_question else ([trace] for trace in kept):
                split = split_of(source_key(traces[0].record.source_paper), shares)
                rows = list[Row]()
                for row in format.rows(traces, options):
                    if isinstance(row, str):
                        exported.count("skipped", row)
                    else:
                        files.add(split, row)
                        rows.append(row)
                if rows:
                    exported.add(split, rows, traces)
        if not exported.rows:
            raise UserError(f"nothing to export to {format.name}: {_why_empty(origin, exported)}")
        (folder / "README.md").write_text(card_text(exported), encoding="utf-8")
        if format.package is not None:
            format.package(folder, options.output)
        (folder / MANIFEST).write_bytes(orjson.dumps(exported.manifest(), option=orjson.OPT_INDENT_2))
    return exported


def _screened(traces: Iterable[ReadTrace], screen: Screen, exported: Exported) -> Iterator[ReadTrace]:
    for trace in traces:
        exported.count("read", trace.outcome)
        if (left_out := screen(trace.record)) is None:
            yield trace
        else:
            exported.count("skipped", left_out.reason)
            if left_out.example:
                exported.examples.setdefault(left_out.reason, left_out.example)


def _why_empty(origin: Origin, exported: Exported) -> str:
    if not (read := exported.counts["read"].total()):
        return f"{origin.path} holds no trace"
    reasons = "; ".join(f"{count} x {reason}" for reason, count in exported.counts["skipped"].most_common(3))
    return f"{read} traces read, none left: {reasons}{f'. {origin.note}' if origin.note else ''}"


class DataFiles(contextlib.ExitStack):
    """Writes one file per split into a new `folder`. The files are complete when the block ends."""

    def __init__(self, folder: Path, columns: Columns) -> None:
        super().__init__()
        folder.mkdir()
        self._folder, self._columns = folder, columns
        self._open = dict[str, jsonlines.Writer]()

    def add(self, split: str, row: Row) -> None:
        """Writes a row, which must have all columns, to the file of a split; other keys are dropped."""
        if split not in self._open:
            file = jsonlines.open(self._folder / f"{split}.jsonl", "x", dumps=orjson.dumps)
            self._open[split] = self.enter_context(file)
        self._open[split].write({column: row[column] for column in self._columns})


@contextlib.contextmanager
def atomic_folder(path: Path, overwrite: bool) -> Iterator[Path]:
    """Yields a folder that is moved to `path` (or its target, if it is a link) when the block succeeds, else deleted. With
    `overwrite`, it replaces an export there; if killed between the two renames, the old export is in a hidden folder beside
    `path`. Raises `UserError` if anything else but an empty folder is at `path`, or if it cannot be written."""
    path = path.resolve()
    _check_free(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True) as temp:
            draft, replaced = Path(temp) / "draft", Path(temp) / "replaced"
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
        raise UserError(f"--output: {path} exists and is not an export; name another folder")
    if not overwrite:
        raise UserError(f"--output: {path} holds an export; name another folder, or replace it with --overwrite")
