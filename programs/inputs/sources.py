"""Which files an input option means, and what kind of input each is."""

import contextlib
import glob
import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from programs.cli.options import nearest
from programs.errors import UserError
from programs.files import ENDINGS
from programs.inputs.archives import check_readable
from programs.inputs.formats import FORMATS, Kind, format_of, require
from programs.inputs.formats.rows import PREFIX, HubName
from programs.inputs.process import ReaderProcess
from programs.redaction import encodable

DEFAULT_INPUT = "data/heuristic_filtered_cosmo_limited.jsonl"


class Source(NamedTuple):
    """One input. `below` is the folder that was named, or that a wildcard searched."""

    name: Path | HubName
    kind: Kind
    below: Path | None = None

    @property
    def shown(self) -> str:
        """Its name as records hold it, which tells nothing of the user's machine: that below the folder. Bytes that are no
        UTF-8 are replaced."""
        name = self.name.relative_to(self.below) if isinstance(self.name, Path) and self.below else self.name
        return encodable(str(name))


def sources(patterns: Sequence[str]) -> list[Source]:
    """What names, wildcards and folders mean, in the order given, a wildcard's and a folder's in alphabetical order,
    each file once, and each with a name of its own to be shown by.

    A name's ending says what it is; a file named (or matched by a wildcard) with none of the known ones holds JSON lines. A
    folder means all files in it and below, hidden ones apart; where a wildcard matches one, it is passed over.
    DEFAULT_INPUT means the sample that ships with the project, unless the working folder has a file of that name.
    Raises UserError for a pattern that means no file, a file that cannot be read, a data set that is not there, and where
    the libraries that read one are missing.
    """
    if not patterns or "" in patterns:
        raise UserError("No input file was named.")
    files: dict[Path | HubName, Source] = {}
    for source in itertools.chain.from_iterable(map(_meant, patterns)):
        files.setdefault(source.name.resolve() if isinstance(source.name, Path) else source.name, source)
    for source in files.values():
        if isinstance(source.name, HubName):
            require(str(source.name), ("datasets",))
            with contextlib.closing(ReaderProcess()) as process:
                process.look(source.name)
        elif source.kind == "lines":
            check_readable(source.name)
        elif format := format_of(source.name):
            require(str(source.name), format.needs)
    return _apart(list(files.values()))


def _apart(found: list[Source]) -> list[Source]:
    """The sources, those of equal names shown by their places below a folder that holds them all."""
    counts = Counter(source.shown for source in found)
    alike = {one: one.name.absolute() for one in found if counts[one.shown] > 1 and isinstance(one.name, Path)}
    folder = Path(os.path.commonpath([path.parent for path in alike.values()])) if alike else None
    return [Source(alike[one], one.kind, folder) if one in alike else one for one in found]


def line_files(patterns: Sequence[str]) -> list[Path]:
    """The files of JSON lines that `sources` finds. Raises UserError also for inputs of other kinds."""
    found = [source for source in sources(patterns) if source.kind not in ("unknown", "own")]
    if other := next((source for source in found if source.kind != "lines"), None):
        raise UserError(f"{other.name} holds no JSON lines.")
    return [Path(str(source.name)) for source in found]


def shipped_sample() -> Path:
    """The sample passages: inside the installed package, or in the checkout that this file is part of."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "resources" / Path(DEFAULT_INPUT).name
    return installed if installed.is_file() else package.parent / DEFAULT_INPUT


def _meant(pattern: str) -> Iterator[Source]:
    if pattern.startswith(PREFIX):
        yield Source(HubName.parse(pattern), "hub")
        return
    # A bare "~" at the start can be part of a file's own name.
    path = Path(pattern).expanduser() if pattern.startswith("~/") else Path(pattern)
    try:
        path = shipped_sample() if pattern == DEFAULT_INPUT and not path.exists() else path
        # A name that exists is meant as it stands, even when it holds a bracket.
        found, below = [path] if path.exists() else [], path.parent
    except OSError as error:  # a folder on the way may not be entered, or the name is longer than names can be
        _refuse(error)
    if path.is_dir():
        yield from _inside(path)
        return
    if not found:
        # Path.glob takes no absolute pattern.
        matches = map(Path, sorted(glob.iglob(str(path), recursive=True)))  # noqa: PTH207
        found = [match for match in matches if not match.is_dir()]
        below = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
    if not found:
        said = f"No input file matches {pattern}" if glob.has_magic(pattern) else f"Input file {pattern} does not exist"
        beside: list[str] = []
        with contextlib.suppress(OSError):
            beside = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
        raise UserError(f"{said}{nearest(path.name, beside) or '.'}")
    for file in found:
        check_readable(file, any_kind=True)
        format = format_of(file)
        yield Source(file, format.kind if format else "lines", below)


def _inside(folder: Path) -> Iterator[Source]:
    """All files of a folder and those below it. Links to folders are not followed: they could lead back."""
    read = False
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # Word's lock files begin with "~$".
        for name in sorted(name for name in names if not name.startswith((".", "~$"))):
            format, own = format_of(Path(name)), name.lower().endswith(ENDINGS)
            read = read or (format is not None and not own)
            yield Source(Path(place, name), "own" if own else format.kind if format else "unknown", folder)
    if not read:
        raise UserError(f"There is no file in the folder {folder} that is read: {', '.join(FORMATS)}.")


def _refuse(error: OSError) -> NoReturn:
    raise UserError(f"Cannot read {error.filename}: {error.strerror}.") from error
