"""Finds the files that an input option names, and the kind of each."""

import contextlib
import glob
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from programs.cli.options import suggestion
from programs.errors import UserError
from programs.files import RUN_FILE_SUFFIXES
from programs.inputs.archives import check_readable
from programs.inputs.formats import FORMATS, Kind, format_of, require
from programs.inputs.formats.rows import HUB_PREFIX, HubName
from programs.inputs.process import ReaderProcess
from programs.redaction import make_encodable

DEFAULT_INPUT = "data/heuristic_filtered_cosmo_limited.jsonl"


class Source(NamedTuple):
    """One input. `root`: the folder that was named, that a wildcard searched, or that holds the file (or all files, if two
    have equal names)."""

    name: Path | HubName
    kind: Kind
    root: Path | None = None

    @property
    def display_name(self) -> str:
        """Its name in records: relative to `root`, so that it reveals nothing about the user's machine. Bytes that are not
        UTF-8 are replaced."""
        name = self.name.relative_to(self.root) if isinstance(self.name, Path) and self.root else self.name
        return make_encodable(str(name))


def find_sources(patterns: Sequence[str]) -> list[Source]:
    """Finds the inputs that names, wildcards and folders stand for, in the given order; within a wildcard or folder, in
    alphabetical order. Each file occurs once; if two have equal names, all are shown by their paths within a common folder.

    The extension of a file tells its kind; a file with an unknown one, if named or matched by a wildcard, holds JSON lines.
    A folder stands for all files in it and its subfolders, except hidden ones; a folder that a wildcard matches is skipped.
    DEFAULT_INPUT means the sample that ships with the project, unless the working folder has a file of that name.
    Raises UserError if a pattern matches no file, a file cannot be read (documents and tables in folders are not tried), a
    data set does not exist, or the libraries for reading an input are missing.
    """
    if not patterns or "" in patterns:
        raise UserError("No input file was named.")
    files: dict[Path | HubName, Source] = {}
    for source in itertools.chain.from_iterable(map(_resolve, patterns)):
        files.setdefault(source.name.resolve() if isinstance(source.name, Path) else source.name, source)
    for source in files.values():
        if isinstance(source.name, HubName):
            require(str(source.name), ("datasets",))
            with contextlib.closing(ReaderProcess()) as process:
                process.check_exists(source.name)
        elif source.kind == "lines":
            check_readable(source.name, is_text=True)
        elif format := format_of(source.name):
            require(str(source.name), format.needs)
    return _with_distinct_names(list(files.values()))


def _with_distinct_names(found: list[Source]) -> list[Source]:
    """The sources; if two have equal names, all files are shown by their paths within a common folder instead."""
    paths = [source.name.absolute() for source in found if isinstance(source.name, Path)]
    if len({source.display_name for source in found}) == len(found):
        return found
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    return [
        Source(source.name.absolute(), source.kind, folder) if isinstance(source.name, Path) else source
        for source in found
    ]


def jsonl_files(patterns: Sequence[str]) -> list[Path]:
    """The JSON Lines files that `find_sources` finds. Raises UserError as it does, and for inputs of other kinds."""
    found = [source for source in find_sources(patterns) if source.kind not in ("unknown", "own")]
    if other := next((source for source in found if source.kind != "lines"), None):
        raise UserError(f"{other.name} is not a JSON Lines file.")
    return [Path(str(source.name)) for source in found]


def shipped_sample() -> Path:
    """The path of the sample passages: inside the installed package, or in the checkout that contains this file."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "resources" / Path(DEFAULT_INPUT).name
    return installed if installed.is_file() else package.parent / DEFAULT_INPUT


def _resolve(pattern: str) -> Iterator[Source]:
    if pattern.startswith(HUB_PREFIX):
        yield Source(HubName.parse(pattern), "hub")
        return
    # Any other "~" at the start may be part of the file's name.
    path = Path(pattern).expanduser() if pattern.startswith("~/") else Path(pattern)
    try:
        path = shipped_sample() if pattern == DEFAULT_INPUT and not path.exists() else path
        # A name that exists is taken literally, even if it contains a bracket.
        found = [path] if path.exists() else []
        root = path.parent
    except OSError as error:  # a parent folder is not accessible, or the name is too long
        _raise_user_error(error)
    if path.is_dir():
        yield from _files_in(path)
        return
    if not found:
        # Path.glob rejects absolute patterns.
        matches = map(Path, sorted(glob.iglob(str(path), recursive=True)))  # noqa: PTH207
        found = [match for match in matches if not match.is_dir()]
        root = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    if not found:
        why = f"No input file matches {pattern}" if glob.has_magic(pattern) else f"Input file {pattern} does not exist"
        neighbours: list[str] = []
        with contextlib.suppress(OSError):
            neighbours = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
        raise UserError(f"{why}{suggestion(path.name, neighbours) or '.'}")
    for file in found:
        check_readable(file, is_text=False)
        format = format_of(file)
        yield Source(file, format.kind if format else "lines", root)


def _files_in(folder: Path) -> Iterator[Source]:
    """All files in a folder and its subfolders. Links to folders are not followed: they could form a cycle."""
    any_readable = False
    for parent, folders, names in os.walk(folder, onerror=_raise_user_error):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # Word's lock files start with "~$".
        for name in sorted(name for name in names if not name.startswith((".", "~$"))):
            format = format_of(Path(name))
            is_own = name.lower().endswith(RUN_FILE_SUFFIXES)
            any_readable = any_readable or (format is not None and not is_own)
            kind = format.kind if format else "unknown"
            yield Source(Path(parent, name), "own" if is_own else kind, folder)
    if not any_readable:
        raise UserError(f"The folder {folder} contains no file of a supported type: {', '.join(FORMATS)}.")


def _raise_user_error(error: OSError) -> NoReturn:
    raise UserError(f"Cannot read {error.filename}: {error.strerror}.") from error
