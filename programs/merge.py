"""`python -m programs.merge SOURCE... --output OUTPUT`: merges the journals and documents of several runs into one.

All lines about a text come from one source: the one with the most accepted variations of it; if these are equal, one that
finished the text; then the one named first. What the other sources made of it stays in their own journals. Lines about no
text, such as `run` lines, and imported traces that name no text, are taken from every source.

Journals are read one line at a time; what is kept in memory is which source each text is taken from (about 150 bytes per
text). All files are made in a temporary folder beside the output and renamed at the end, so that a killed merge leaves
nothing that looks finished.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from programs.cli.options import Options, parse, run_cli
from programs.errors import StorageError, UserError
from programs.files import JOURNAL, draft_path, move_aside, path_beside, take_lock
from programs.run.attempts import TraceSource, find_sources
from programs.run.document import write_document
from programs.run.journal import Journal
from programs.run.resume import OPTIONS_IN_RECORDS, mixing_differences
from programs.schema import Status
from programs.traces.line import IMPORTED
from programs.versions import git_commit, versions

_SCORES = f"""
select text, sum(score) from (
    select sample text, 2 score from variation where status = 'accepted' and sample != '{IMPORTED}'
    union all select key, 1 from sample where settled)
group by text
"""
"""Scores what a source made of each text."""


@dataclass
class Merged:
    """The result of a merge. `traces`: number of variations by status; `spent_in_all`: as in
    `programs.run.summary.Summary`; `shared_texts`: number of texts that are in several sources."""

    status: Status
    sources: list[str]
    traces: dict[str, int]
    spent_in_all: list[dict[str, Any]]
    shared_texts: int


def merge(names: Sequence[str], output: Path, *, allow_mixed: bool = False) -> Merged:
    """Merges journals, or documents with or without journals beside them, into `output` and its journal.

    A later run with this output does not ask again what the merged journal has settled. Raises `UserError` if a source is
    missing, in use, or neither a journal nor a document, if the output exists, and, without `allow_mixed`, if a source was
    made with other settings than the first (`programs.run.resume.mixing_of`); `StorageError` if a source is damaged or the
    output cannot be written. The output document is then not created.
    """
    sources, journal = find_sources(names), path_beside(output, JOURNAL)
    with _claim_output(output, journal) as folder:
        try:
            runs = list(_last_runs(sources, folder))
            if not allow_mixed:
                _refuse_mixture(runs)
            with Journal(folder / journal.name) as target:
                shared = copy_sources(sources, target, folder)
                completed = all(run["status"] == "completed" for _, run in runs)
                status: Status = "completed" if completed else "interrupted"
                paths = [str(source.path) for source in sources]
                merged = Merged(status, paths, target.index.counts(), target.index.spent(), shared)
                # A later run is compared with the first source, and warns if it would drop results that any source has.
                # Documents without a journal do not say how they were made.
                results = {
                    name: True for _, run in runs for name in OPTIONS_IN_RECORDS if run.get("settings", {}).get(name)
                }
                for _, first_run in runs[:1]:
                    facts = {"mixing": first_run["mixing"], "versions": versions(), "git_commit": git_commit()}
                    target.append("run", None, status=status, settings=results, summary=asdict(merged), **facts)
                write_document(target, folder / output.name, status, asdict(merged))
            # The journal comes before the document made from it. An index without a journal does no harm.
            for name in (f"{journal.name}.index", journal.name, output.name):
                if (folder / name).exists():
                    (folder / name).replace(output.with_name(name))
        except OSError as error:
            raise StorageError(f"merging into {output} failed: {error.strerror or error}") from error
    return merged


def copy_sources(sources: Sequence[TraceSource], into: Journal, folder: Path) -> int:
    """Copies the sources into a new journal, with imported documents in `folder`. Returns how many texts are in several."""
    chosen, shared = _best_sources(sources, folder), set[str]()
    for number, source in enumerate(sources):
        with source.open_journal(folder) as journal:
            for line in journal.lines():
                text = _text_of(line["kind"], line["key"], line.get("sample"))
                # A text of which no source made anything is taken from the first that has it.
                if text is None or chosen.setdefault(text, number) == number:
                    into.append(**line)
                else:
                    shared.add(text)
    return len(shared)


def _best_sources(sources: Sequence[TraceSource], folder: Path) -> dict[str, int]:
    """The number of the source that made most of each text, of those that made something of it."""
    best: dict[str, tuple[int, int]] = {}
    for number, source in enumerate(sources):
        with source.open_journal(folder) as journal:
            for text, score in journal.index.query(_SCORES):
                if score > best.get(text, (0, number))[0]:
                    best[text] = score, number
    return {text: number for text, (_, number) in best.items()}


def _text_of(kind: str, key: str | None, sample: str | None) -> str | None:
    """The id of the text that a line is about, or None."""
    if kind in ("stage", "failed"):
        return str(key).split("/")[1]
    if kind == "unit":
        return None if sample == IMPORTED else sample
    return key if kind in ("pool", "sample") else None


@contextlib.contextmanager
def _claim_output(output: Path, journal: Path) -> Iterator[Path]:
    """Locks an output that does not exist yet, and yields a new temporary folder beside it."""
    if output.is_dir():
        raise UserError(f"--output: {output} is a folder; name a file")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(take_lock(journal))
            for path in (journal, output):
                if os.path.lexists(path):
                    raise UserError(f"--output: {path} already exists; choose another, or move it away")
            # Left by a killed merge, or not a file of this program.
            move_aside(Path(f"{journal}.index"))
            folder = draft_path(output, "merging")
            folder.mkdir()
        except OSError as error:
            raise UserError(f"cannot write {output} or beside it: {error.strerror}") from error
        held.callback(shutil.rmtree, folder)
        yield folder


def _last_runs(sources: Sequence[TraceSource], folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The path and the last `run` line of each source that has one."""
    for source in sources:
        with source.open_journal(folder) as journal:
            if (last := journal.latest("run", "")) is not None:
                yield source.path, last


def _refuse_mixture(runs: Sequence[tuple[Path, dict[str, Any]]]) -> None:
    for path, run in runs[1:]:
        first, first_run = runs[0]
        if differences := mixing_differences(first_run["mixing"], run["mixing"]):
            raise UserError(
                f"{path} was made with other settings than {first}: {'; '.join(differences)}. "
                "Leave one out, or mix on purpose with --allow-mixed"
            )


class MergeOptions(Options):
    """Merge the journals and documents of several runs into one."""

    leading: ClassVar[str] = "sources"

    sources: list[str] = Field(
        min_length=1,
        json_schema_extra={"metavar": "FILE"},
        description="journals, documents or wildcards; if several have the same number of traces of a text, the first one "
        "named is used",
    )
    output: Path = Field(description="the document to write; its journal is written beside it")
    allow_mixed: bool = Field(False, description="merge even if the model, program or seed differs")


def main(arguments: list[str] | None = None) -> int:
    """Merges and reports the result."""
    options = parse(MergeOptions, arguments)
    merged = merge(options.sources, options.output, allow_mixed=options.allow_mixed)
    print(f"{options.output}: {merged.traces.get('accepted', 0)} traces from {len(merged.sources)} sources")
    if merged.shared_texts:
        print(f"{merged.shared_texts} texts are in several sources; each is taken whole from one that made most of it")
    if merged.status != "completed":
        print("not every run was completed: run generate with this --output to continue")
    return 0


if __name__ == "__main__":
    run_cli(main)
