"""What a merge, an export or a report is given: journals, and documents that have none."""

import contextlib
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from programs.document import import_document
from programs.errors import UserError
from programs.files import beside
from programs.inputs.sample import bytes_id
from programs.run.journal import START_BYTES, Journal, is_journal


@dataclass(frozen=True)
class MergeSource:
    """One of the things to merge. Invariant: what `is_journal` was seen to begin as one, or is empty: opening a journal
    cuts off a torn last line, which no other file of the user must lose."""

    path: Path
    is_journal: bool

    @contextlib.contextmanager
    def opened(self, folder: Path) -> Iterator[Journal]:
        """The journal, or one in `folder` that holds what the document does. Raises `UserError` when the journal is in use
        or the file is no document of this program."""
        made = folder / f"{bytes_id(os.fsencode(self.path.resolve()))}.imported.jsonl"
        with Journal(self.path if self.is_journal else made) as journal:
            if not self.is_journal and not journal.index.counts():
                try:
                    import_document(journal, self.path)
                except UserError:
                    raise UserError(f"{self.path} is neither a journal nor a document of this program") from None
            yield journal


def find_sources(patterns: Sequence[str]) -> list[MergeSource]:
    """What names and wildcards mean, in the order given, each once. A document whose journal lies beside it means its
    journal. Raises `UserError` for what is missing, cannot be read or is a folder."""
    found: dict[Path, MergeSource] = {}
    for pattern in patterns:
        try:
            for name in _names(pattern):
                source = _source(Path(name))
                found.setdefault(source.path.resolve(), source)
        except OSError as error:
            raise UserError(f"cannot read {pattern}: {error.strerror}") from None
    return list(found.values())


def _names(pattern: str) -> list[str]:
    if not glob.has_magic(pattern) or Path(pattern).exists():
        return [pattern]
    # Path.glob takes no absolute pattern.
    names = sorted(glob.iglob(pattern))  # noqa: PTH207
    if not names:
        raise UserError(f"nothing matches {pattern}")
    return names


def _source(path: Path) -> MergeSource:
    journal = beside(path, "journal")
    if journal.is_file():
        return MergeSource(journal, is_journal=True)
    if path.is_dir():
        raise UserError(f"{path} is a folder; name journals or documents")
    if not path.exists():
        raise UserError(f"there is neither {path} nor {journal}")
    with path.open("rb") as file:
        return MergeSource(path, is_journal=is_journal(file.read(START_BYTES)))
