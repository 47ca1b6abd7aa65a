"""From a document or a journal to a folder of data files with their card, one trace at a time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from programs.errors import UserError
from programs.exports.candidates import Origin, by_question
from programs.exports.card import Exported, card
from programs.exports.files import DataFiles
from programs.exports.folder import MANIFEST, new_folder
from programs.exports.format import Candidate, Skip
from programs.exports.licences import licence_of
from programs.exports.options import ExportOptions
from programs.exports.tally import Tally
from programs.exports.view import source_name
from programs.records import Record
from programs.versions import own_version, stamp


def export(options: ExportOptions) -> Exported:
    """Writes the folder. Raises `UserError` for whatever the user can mend, an export without a row among it; then there
    is no folder, or the old one."""
    format = options.format
    origin = Origin.find(options.document, format.attempts)
    with new_folder(options.output, options.overwrite) as folder:
        metadata, tally = origin.metadata(), Tally()
        data = folder / "data"
        data.mkdir()
        with DataFiles(data, format.columns(options), options.as_, options.shard_rows) as files:
            kept = _kept(origin, options, tally)
            groups: Iterable[list[Candidate]] = by_question(kept, folder) if format.grouped else ([one] for one in kept)
            for traces in groups:
                _write(traces, files, options, tally)
            sizes = files.finish()
        if not tally.rows:
            raise UserError(f"nothing to export to {format.name}: {_why(origin, tally)}")
        exported = Exported(options, origin, metadata, tally, sizes, stamp())
        (folder / "README.md").write_text(card(exported), encoding="utf-8")
        (folder / MANIFEST).write_bytes(orjson.dumps(_manifest(exported), option=orjson.OPT_INDENT_2))
    return exported


def _kept(origin: Origin, options: ExportOptions, tally: Tally) -> Iterator[Candidate]:
    """The candidates that the filters leave."""
    for candidate in origin.candidates(options.format.attempts):
        tally.saw(candidate)
        reason = _refusal(candidate.record, options)
        if reason is None:
            yield candidate
        else:
            tally.skip(reason)


def _refusal(record: Record, options: ExportOptions) -> Skip | None:
    format = options.format
    if not options.takes_licence(licence_of(record.source_paper.extra)):
        return Skip("its licence is not one of --licence")
    if not format.whole:
        if not (record.reasoning_trace.strip() and record.final_answer.strip()):
            return Skip("its thought or its answer is empty")
        if "passage" in options.contexts(record) and not record.source_paper.text:
            return Skip("its passage is not in the document (--context none needs none)")
    if options.min_score is None or format.attempts:
        return None
    score = options.measure.of(record)
    if score is None:
        return Skip(options.measure.missing)
    return Skip(f"its score is below {options.min_score:g}") if score < options.min_score else None


def _write(traces: Sequence[Candidate], files: DataFiles, options: ExportOptions, tally: Tally) -> None:
    split = options.shares.split_of(source_name(traces[0].record.source_paper))
    before = tally.rows
    for row in options.format.rows(traces, options):
        if isinstance(row, Skip):
            tally.skip(row)
        else:
            files.add(split, row)
            tally.made(row, traces)
    if tally.rows > before:
        tally.used(traces)


def _why(origin: Origin, tally: Tally) -> str:
    read = sum(tally.read.values())
    if not read:
        return f"{origin.path} holds no trace"
    reasons = "; ".join(f"{count} x {reason}" for reason, count in tally.skipped.most_common(3))
    return f"{read} traces read, none left: {reasons}" + (f". {origin.note}" if origin.note else "")


def _manifest(done: Exported) -> dict[str, Any]:
    """What `export.json` holds: what was made, of what and how. No paths: they may name a person."""
    options = done.options.model_dump(mode="json", exclude={"document", "output", "overwrite", "push_to_hub", "public"})
    splits = {
        split: {"rows": size.rows, "files": [path.name for path in size.files]} for split, size in done.sizes.items()
    }
    return {
        "format": done.options.to,
        "document": done.options.document.name,
        "created": done.created,
        "options": options,
        "splits": splits,
        "counts": done.tally.plain(),
        "synthreasoner": own_version(),
    }
