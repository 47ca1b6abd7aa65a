"""Writes the JSON document from a journal, and reads it. It is streamed into a temporary file beside the document, which
then replaces it atomically."""

import contextlib
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import ijson
import orjson

from programs.errors import UserError
from programs.files import atomic_write, move_aside
from programs.inputs.sample import content_id
from programs.records import Record
from programs.run.journal import Journal
from programs.schema import FORMAT_VERSION, DocumentMetadata, Status
from programs.statistics.agreement import AgreementCount
from programs.statistics.thought_counts import ThoughtCount
from programs.traces.line import IMPORTED, attempts_of
from programs.versions import utc_now

log = logging.getLogger("synthreasoner")

_START = b'{"metadata"'


def write_document(journal: Journal, path: Path, status: Status, run: dict[str, Any] | None = None) -> DocumentMetadata:
    """Writes the accepted traces of the journal to `path`, atomically, and returns the metadata. `judges` and `thoughts`
    are counted once the run has ended (the `status` is not "running"). Raises `StorageError` if the document cannot be
    written."""
    total = journal.index.counts().get("accepted", 0)
    judges, thoughts = AgreementCount(), ThoughtCount()
    if status != "running":
        # The metadata comes first in the file, so that counting for it takes a separate pass over the variations.
        for line in journal.variations():
            for _, attempt in attempts_of(line):
                if attempt.get("verdicts"):
                    judges.add(attempt["verdicts"])
            if line["status"] == "accepted":
                thoughts.add(Record.model_validate(line["record"]))
    metadata = DocumentMetadata(
        generation_timestamp=utc_now(),
        total_traces_generated=total,
        status=status,
        format_version=FORMAT_VERSION,
        run=run,
        judges=judges.result(),
        thoughts=thoughts.result(),
    )
    _move_aside_foreign_file(path)
    with atomic_write(path, "; the journal holds everything") as file:
        _stream_document(file, metadata, (line["record"] for line in islice(journal.variations("accepted"), total)))
    log.info("wrote %s", path, extra={"traces": total, "status": status})
    return metadata


def _move_aside_foreign_file(path: Path) -> None:
    """Moves a file at `path` aside if it does not start like a document."""
    with contextlib.suppress(OSError):  # raised again when the document is written
        with path.open("rb") as file:
            start = b"".join(file.read(64).split())
        if start and not start.startswith(_START):
            log.warning("%s is not a document of this program and is moved aside", path)
            move_aside(path)


def _stream_document(file: IO[bytes], metadata: DocumentMetadata, records: Iterable[dict[str, Any]]) -> None:
    file.write(_START + b": " + orjson.dumps(metadata.model_dump(mode="json")) + b',\n"questions": [')
    for number, record in enumerate(records):
        file.write((b",\n" if number else b"\n") + orjson.dumps(record))
    file.write(b"\n]}\n")


@contextlib.contextmanager
def open_document(path: Path) -> Iterator[IO[bytes]]:
    """Opens a document to read. Parsing and validation errors in the block become a `UserError`."""
    try:
        with path.open("rb") as file:
            yield file
    except (ijson.JSONError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not a document of this program: {str(error).splitlines()[0]}") from None


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata of a document, empty if it has none. Raises `UserError` if the file is not a document."""
    with open_document(path) as file:
        return dict(next(iter(ijson.items(file, "metadata", use_float=True)), {}))


def read_records(path: Path) -> Iterator[Record]:
    """Yields the records of a document of any size and version. Raises `UserError` if the file is not a document."""
    with open_document(path) as file:
        for item in ijson.items(file, "questions.item", use_float=True):
            yield Record.model_validate(item)


def import_document(journal: Journal, path: Path) -> int:
    """Imports the traces of a document without a journal into a new journal, as settled. Returns their number. Raises
    `UserError` if the file is not a document, before any trace is imported, so that no run overwrites that file."""
    with open_document(path) as file:
        if ("questions", "start_array") not in ((prefix, event) for prefix, event, _ in ijson.parse(file)):
            raise ValueError("it has no traces; name another file with --output")
    count = sum(1 for _ in read_records(path))  # validates every record before the first is imported
    for record in read_records(path):
        digest = content_id(f"{record.reasoning_trace}\0{record.final_answer}")
        unnamed = content_id(f"{record.user_interaction.question}\0{digest}")
        journal.append(
            "unit",
            record.variation_key if record.question_id else f"{IMPORTED}/{unnamed}/0",
            sample=record.source_paper.id or IMPORTED,
            status="accepted",
            settled=True,
            rejection=None,
            basis=IMPORTED,
            digest=digest,
            record=record.compact_dump(),
            attempts=[],
        )
    return count
