"""From a document or a journal to a folder of data files with their card, one trace (or one question) at a time."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from programs.document import read_metadata, read_records
from programs.errors import UserError
from programs.exports.card import Exported, Tally, card
from programs.exports.chat_template import ChatTemplate, check
from programs.exports.files import MANIFEST, DataFiles, Row, new_folder
from programs.exports.format import Format
from programs.exports.keep import not_kept
from programs.exports.licences import licence_of
from programs.exports.options import ExportOptions, shares_of, split_of
from programs.exports.screening import Screen, screening
from programs.exports.view import NO_SCORE, View
from programs.inputs.papers import source_key
from programs.inputs.sample import content_id
from programs.records import Record
from programs.run.attempts import ReadTrace, find_source, variations_in, viewed
from programs.run.journal import JournalReader
from programs.versions import own_version, stamp


class Origin(NamedTuple):
    """Where traces are read, also while a run goes on: the document, or its journal, which alone has those that were turned
    down. `note` says what this origin lacks, if anything."""

    path: Path
    journal: JournalReader | None
    document: Path | None
    note: str | None

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path, attempts: bool) -> Iterator["Origin"]:
        """What a name means, as it stands at this moment: with `attempts` the journal, if any. Raises `UserError`."""
        found = find_source(path)
        document = path if path.is_file() and found.path != path else None
        if found.is_journal and (attempts or document is None):
            with viewed(found.path) as journal:
                yield cls(found.path, journal, document, None)
        else:
            lacks = f"{path} has no journal beside it: a document holds no trace that was turned down"
            yield cls(path, None, path, lacks if attempts else None)

    def traces(self, attempts: bool) -> Iterator[ReadTrace]:
        """The traces in order; with `attempts` also those judged and not taken. Raises `UserError` for a foreign file."""
        if self.journal is None:
            yield from map(ReadTrace, read_records(self.path))
            return
        for trace in chain.from_iterable(variations_in(self.journal)):
            # Nothing is preferred to what was turned down for its question's sake, not for its own.
            judged = trace.became in ("below", "unused") and not trace.left_out
            if trace.became == "accepted" or (attempts and judged):
                yield trace

    def metadata(self) -> dict[str, Any]:
        """What the document says about itself, and over that the status and summary (`run`) of the journal's latest run."""
        said = {} if self.document is None else read_metadata(self.document)
        last = self.journal and self.journal.latest("run", "")
        latest = {"status": last.get("status"), "run": last.get("summary")} if last else {}
        return said | {name: value for name, value in latest.items() if value}


def by_question(traces: Iterable[ReadTrace]) -> Iterator[list[ReadTrace]]:
    """The traces of each question, in the order in which the questions first came, at a memory of one's traces."""
    # Without a name SQLite keeps a database in the system's folder for temporary files, and removes it.
    with contextlib.closing(sqlite3.connect("")) as database:
        database.execute("create table trace (question text, packed blob)")
        for record, became in ((one.record, one.became) for one in traces):
            text = record.question_id or record.source_paper.id or record.source_paper.title
            # The words too: a merged journal may hold several questions under one name.
            name = content_id(f"{text}\0{record.user_interaction.question}")
            packed = orjson.dumps([record.model_dump(mode="json"), became])
            database.execute("insert into trace values (?, ?)", (name, packed))
        query = "select min(rowid) over (partition by question) first, packed from trace order by first, rowid"
        for _, group in groupby(database.execute(query), key=lambda row: row[0]):
            unpacked = [orjson.loads(packed) for _, packed in group]
            yield [ReadTrace(Record.model_validate(content), became) for content, became in unpacked]


def export(options: ExportOptions) -> Exported:
    """Writes the folder. Raises `UserError`, also for an export without a row; then there is no folder, or the old one."""
    format, shares = options.format, shares_of(options.splits)
    tally, checked = Tally(), None
    template = None if options.chat_template is None else ChatTemplate.load(options.chat_template)
    with (
        Origin.opened(options.document, format.attempts) as origin,
        new_folder(options.output, options.overwrite) as folder,
        screening(options) as screen,
    ):
        metadata, data = origin.metadata(), folder / "data"
        data.mkdir()
        kept = _kept(origin, options, screen, tally)
        with DataFiles(data, format.columns(options)) as files:
            for traces in by_question(kept) if format.grouped else ([one] for one in kept):
                split, before = split_of(source_key(traces[0].record.source_paper), shares), tally.rows
                for row in format.rows(traces, options):
                    if isinstance(row, str):
                        tally.count("skipped", str(row))
                    else:
                        files.add(split, row)
                        tally.add(row, traces)
                if tally.rows > before:
                    tally.used(traces)
                    if template is not None and checked is None:
                        checked = check(template, options, partial(_first_row, traces, format))
        if not tally.rows:
            raise UserError(f"nothing to export to {format.name}: {_why(origin, tally)}")
        exported = Exported(
            options, origin.journal is not None, origin.note, metadata, tally, files.rows, stamp(), checked
        )
        (folder / "README.md").write_text(card(exported), encoding="utf-8")
        if format.package is not None:
            format.package(folder, options.output)
        (folder / MANIFEST).write_bytes(orjson.dumps(_manifest(exported), option=orjson.OPT_INDENT_2))
    return exported


def _first_row(traces: Sequence[ReadTrace], format: Format, view: View) -> Row:
    return next(row for row in format.rows(traces, view) if not isinstance(row, str))


def _kept(origin: Origin, options: ExportOptions, screen: Screen, tally: Tally) -> Iterator[ReadTrace]:
    """The traces that the filters leave."""
    for trace in origin.traces(options.format.attempts):
        tally.count("read", trace.became)
        if reason := _refusal(trace.record, options):
            tally.count("skipped", reason)
        elif left_out := screen(trace.record):
            tally.count("skipped", left_out.reason)
            tally.examples.setdefault(*left_out)
        else:
            yield trace


def _refusal(record: Record, options: ExportOptions) -> str | None:
    if not options.takes_licence(licence_of(record.source_paper.extra)):
        return "its licence is not one of --licence"
    if not options.format.whole and (why := options.lacks(record)):
        return why
    if options.keep is not None and (why := not_kept(options.keep, record)):
        return why
    if options.min_score is None or options.format.attempts:
        return None
    score = record.metadata.quality_score
    if score is None:
        return NO_SCORE
    return f"its score is below {options.min_score:g}" if score < options.min_score else None


def _why(origin: Origin, tally: Tally) -> str:
    read, skipped = tally.counts["read"].total(), tally.counts["skipped"].most_common(3)
    if not read:
        return f"{origin.path} holds no trace"
    reasons = "; ".join(f"{count} x {reason}" for reason, count in skipped)
    return f"{read} traces read, none left: {reasons}{f'. {origin.note}' if origin.note else ''}"


def _manifest(done: Exported) -> dict[str, Any]:
    """What `export.json` holds: what was made, of what and how. No paths: they may name a person."""
    files = {"document", "output", "overwrite", "chat_template", "decontaminate"}
    return {
        "format": done.options.to,
        "document": done.options.document.name,
        "created": done.created,
        "options": done.options.model_dump(mode="json", exclude=files),
        "benchmarks": done.options.benchmark_names,
        "chat_template": done.checked and done.checked.said,
        "splits": done.rows,
        "counts": done.tally.plain(),
        "synthreasoner": own_version(),
    }
