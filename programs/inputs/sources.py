"""Which files an input option means."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from rapidfuzz import fuzz, process, utils

from programs.errors import UserError
from programs.inputs.archives import check_readable

_SAMPLE_NAME = "heuristic_filtered_cosmo_limited.jsonl"
DEFAULT_INPUT = f"data/{_SAMPLE_NAME}"
_SIMILAR = 60.0
"""Of 100. Below it, a name is another name and no slip of the keyboard."""


def expand(patterns: Sequence[str]) -> list[Path]:
    """The files that names and wildcards mean, in the order given, a wildcard's in alphabetical order, each file once.

    DEFAULT_INPUT means the sample that ships with the project, unless the working folder has a file of that name.
    Every file has been opened once and can be read. Raises UserError for a pattern that means no file, a folder, or
    a file that cannot be read; a folder that a wildcard matches is passed over.
    """
    files: dict[Path, Path] = {}
    for pattern in patterns:
        for path in _matches(pattern):
            files.setdefault(path.resolve(), path)
    if not files:
        raise UserError("No input file was named.")
    for path in files.values():
        check_readable(path)
    return list(files.values())


def shipped_sample() -> Path:
    """The sample passages: inside the installed package, or in the checkout that this file is part of."""
    programs = Path(__file__).resolve().parents[1]
    installed = programs / "resources" / _SAMPLE_NAME
    return installed if installed.is_file() else programs.parent / DEFAULT_INPUT


def _matches(pattern: str) -> list[Path]:
    # A bare "~" at the start can be part of a file's own name.
    path = Path(pattern).expanduser() if pattern.startswith("~/") else Path(pattern)
    exists = _exists(path)
    if exists and path.is_dir():
        raise UserError(f"{pattern} is a folder: name its files with a wildcard, such as '{path / '*.jsonl'}'.")
    # A name that exists is meant as it stands, even when it holds a bracket.
    if exists:
        return [path]
    if pattern == DEFAULT_INPUT:
        return [shipped_sample()]
    if not glob.has_magic(pattern):
        raise UserError(f"Input file {pattern} does not exist.{_nearest(path)}")
    # Path.glob takes no absolute pattern.
    found = [Path(name) for name in sorted(glob.iglob(str(path), recursive=True))]  # noqa: PTH207
    matches = [match for match in found if not match.is_dir()]
    if not matches:
        raise UserError(f"No input file matches {pattern}.{_nearest(path)}")
    return matches


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a folder on the way may not be entered, or the name is longer than names can be
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error


def _nearest(path: Path) -> str:
    """A hint naming the file beside the missing one whose name is most like it, or nothing."""
    folder = path.parent
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    except OSError:
        return ""
    best = process.extractOne(
        path.name, names, scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=_SIMILAR
    )
    return f" Did you mean {folder / best[0]}?" if best else ""
