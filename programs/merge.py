"""`python -m programs.merge SOURCE... --output OUTPUT`: makes one journal and one document of those of several runs.

Each text is taken whole, with all lines about it, from one source: the one that made the most of it (accepted variations,
then whether it was done with it), of equals the one named first. What the others made of it stays in their own journals.
Lines about no text, such as those of runs, and traces of documents that name no text, are all taken.

Memory does not grow with the journals: which source a text is taken from stands in a SQLite file. Everything is made in a
folder beside the output, and put in place at the end: a merge that was killed leaves nothing that looks finished.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from programs.cli.options import Options, changed, parse, run_cli
from programs.document import write_document
from programs.errors import StorageError, UserError
from programs.files import JOURNAL, beside, fresh, move_aside, take_lock
from programs.run.attempts import TraceSource, find_sources
from programs.run.journal import Journal
from programs.run.resume import LOOKED_INTO
from programs.schema import Status
from programs.traces.line import IMPORTED
from programs.versions import git_commit, versions

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
create table text (name text primary key, source integer, made integer, known integer) without rowid;
"""

_WEIGH = """
insert into text
    select text, ?, 2 * sum(kind = 'unit' and status = 'accepted') + max(kind = 'sample' and settled), 1 from (
        select kind, status, ifnull(json_extract(facts, '$.settled'), 0) settled, text_of(kind, key, sample) text
        from theirs.line)
    where text is not null group by text
    on conflict (name) do update set known = known + 1, made = max(made, excluded.made),
        source = case when excluded.made > made then excluded.source else source end
"""
"""How much a source made of each text, and whether that is more than those before it did."""


@dataclass
class Merged:
    """What a merge made: `traces` are its variations by status, `spent_in_all` is as in `programs.run.summary.Summary`,
    `shared_texts` is how many texts stood in several sources."""

    status: Status
    sources: list[str]
    traces: dict[str, int]
    spent_in_all: list[dict[str, Any]]
    shared_texts: int


def merge(names: Sequence[str], output: Path, *, allow_mixed: bool = False) -> Merged:
    """Merges journals, or documents with or without journals beside them, into `output` and its journal.

    A later run on `output` asks nothing that a source had settled.
    Raises `UserError` for a source that is missing, none of ours or in use, for an output that is there, and for sources
    made otherwise than the first (`programs.run.resume.mixing_of`) without `allow_mixed`; `StorageError` for a damaged
    source, or when the output cannot be written. There is then no output.
    """
    sources, journal = find_sources(names), beside(output, JOURNAL)
    with _claimed(output, journal) as folder:
        try:
            runs = list(_last_runs(sources, folder))
            if not allow_mixed:
                _refuse_mixture(runs)
            with Journal(folder / journal.name) as new:
                shared = pour(sources, new, folder)
                done = all(run["status"] == "completed" for _, run in runs)
                status: Status = "completed" if done else "interrupted"
                paths = [str(source.path) for source in sources]
                merged = Merged(status, paths, new.index.counts(), new.index.spent(), shared)
                # What a later run is compared with is the first one's; it warns where what any looked into would go.
                # Documents alone say nothing of how they were made.
                looked = {name: True for _, run in runs for name in LOOKED_INTO if run.get("settings", {}).get(name)}
                for _, first in runs[:1]:
                    facts = {"mixing": first["mixing"], "versions": versions(), "git_commit": git_commit()}
                    new.append("run", None, status=status, settings=looked, summary=asdict(merged), **facts)
                write_document(new, folder / output.name, status, asdict(merged))
            # The journal before the document that is made from it; an index without a journal is nothing.
            for name in (f"{journal.name}.index", journal.name, output.name):
                if (folder / name).exists():
                    (folder / name).replace(output.with_name(name))
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"merging into {output} failed: {getattr(error, 'strerror', None) or error}") from error
    return merged


def pour(sources: Sequence[TraceSource], into: Journal, folder: Path) -> int:
    """Pours the sources into a new journal, with notes in `folder`. Returns how many texts stood in several of them."""
    with contextlib.closing(sqlite3.connect(folder / "notes.sqlite")) as notes:
        notes.create_function("text_of", 3, _text_of, deterministic=True)
        notes.executescript(_SCHEMA)
        for number, source in enumerate(sources):
            with source.opened(folder) as journal:
                notes.execute("attach ? as theirs", (str(journal.index.path),))
                notes.execute(_WEIGH, (number,))
                notes.commit()
                notes.execute("detach theirs")
        for number, source in enumerate(sources):
            with source.opened(folder) as journal:
                for line in journal.lines():
                    text = _text_of(line["kind"], line["key"], line.get("sample"))
                    taken = notes.execute("select source from text where name = ?", (text,)).fetchone()
                    if taken in (None, (number,)):
                        into.append(**line)
        ((shared,),) = notes.execute("select count(*) from text where known > 1")
    return int(shared)


def _text_of(kind: str, key: str | None, sample: str | None) -> str | None:
    """The text that a line is about; None: it is about none that has a name."""
    if kind in ("stage", "failed"):
        return str(key).split("/")[1]
    if kind == "unit":
        return None if sample == IMPORTED else sample
    return key if kind in ("pool", "sample") else None


@contextlib.contextmanager
def _claimed(output: Path, journal: Path) -> Iterator[Path]:
    """A new folder beside an output that is not there yet, with nobody else at work on it."""
    if output.is_dir():
        raise UserError(f"--output: {output} is a folder; name a file")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(take_lock(journal))
            for path in (journal, output):
                if os.path.lexists(path):
                    raise UserError(f"--output: {path} is there already; choose another, or move it away")
            # A merge that was killed left it, or it is none of ours.
            move_aside(Path(f"{journal}.index"))
            folder = fresh(output, "merging")
            folder.mkdir()
        except OSError as error:
            raise UserError(f"cannot write {output} or beside it: {error.strerror}") from error
        held.callback(shutil.rmtree, folder)
        yield folder


def _last_runs(sources: Sequence[TraceSource], folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The sources that have a `run` line, with their last."""
    for source in sources:
        with source.opened(folder) as journal:
            if (last := journal.latest("run", "")) is not None:
                yield source.path, last


def _refuse_mixture(runs: Sequence[tuple[Path, dict[str, Any]]]) -> None:
    for path, run in runs[1:]:
        first, one = runs[0]
        if differences := changed(one["mixing"], run["mixing"]):
            raise UserError(
                f"{path} was made otherwise than {first}: {'; '.join(differences)}. "
                "Leave one out, or mix on purpose with --allow-mixed"
            )


class MergeOptions(Options):
    """Make one journal and document of those of several runs."""

    leading: ClassVar[str] = "sources"

    sources: list[str] = Field(
        min_length=1,
        json_schema_extra={"metavar": "FILE"},
        description="journals, documents or wildcards; of equals about a text, the one named first is taken",
    )
    output: Path = Field(description="the document to write; its journal will lie beside it")
    allow_mixed: bool = Field(False, description="merge although the model, program or seed differs")


def main(arguments: list[str] | None = None) -> int:
    """Merges and says what became of it."""
    options = parse(MergeOptions, arguments)
    merged = merge(options.sources, options.output, allow_mixed=options.allow_mixed)
    print(f"{options.output}: {merged.traces.get('accepted', 0)} traces of {len(merged.sources)} sources")
    if merged.shared_texts:
        print(
            f"{merged.shared_texts} texts stood in several sources: each is taken whole from one that made most of it"
        )
    if merged.status != "completed":
        print("not every run was completed: run generate with this --output to go on")
    return 0


if __name__ == "__main__":
    run_cli(main)
