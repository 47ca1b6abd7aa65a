"""Whose folder it is: a compilation goes on only with what its calls, study and scores were made for."""

import json
from pathlib import Path
from typing import Any

from optimize.settings import CompileSettings
from programs.errors import UserError
from programs.telemetry.logs import LogOptions
from programs.telemetry.tracing import TraceOptions

NAME = "settings.json"
TEXTS = "hash of the texts"
RESULTS = ("program.json", "report.json", "report.md")

FREE = frozenset(
    {
        "output",
        "resume",
        "dry_run",
        "budget",
        "max_calls",
        "concurrency",
        "api_base",
        "timeout",
        "patience",
        "retry_wait",
    }
    | {*LogOptions.model_fields, *TraceOptions.model_fields}
)
"""Options that a resumed compilation may have otherwise: they change what is spent and how, not what is compared."""


def claim(folder: Path, settings: CompileSettings, data: str, *, begun: bool = True) -> None:
    """Writes down what the folder is for, the hash `data` of its texts too, or finds it written. Raises `UserError`, naming
    the options that differ, where it is for something else. A folder where nothing was `begun` (no call is recorded) is
    anyone's, unless it holds what a compilation made, or settings of something else."""
    path = folder / NAME
    if not begun:
        _refuse_results(folder)
    wanted = {name: value for name, value in settings.model_dump(mode="json").items() if name not in FREE}
    wanted[TEXTS] = data
    if not begun or not path.exists():
        path.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
        return
    known = _read(path)
    changed = [
        f"{_shown(name)} was {known.get(name)} and is now {value}"
        for name, value in wanted.items()
        if known.get(name) != value
    ]
    if changed:
        raise UserError(
            f"{folder} holds another compilation: {'; '.join(changed)}. "
            "Choose another --output, or begin afresh with --no-resume"
        )


def _refuse_results(folder: Path) -> None:
    """What is there without the calls that it was made of cannot be gone on with, and must not be written over."""
    found = [name for name in RESULTS if (folder / name).exists()]
    path = folder / NAME
    if not found and path.exists() and TEXTS not in _read(path):
        found = [NAME]
    if found:
        raise UserError(
            f"{folder} holds {found[0]} without the calls that it was made of: choose another --output, or move it aside "
            "with --no-resume"
        )


def _shown(name: str) -> str:
    return f"the {name}" if name == TEXTS else f"--{name.replace('_', '-')}"


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}; begin afresh with --no-resume") from None
    if not isinstance(known, dict):
        raise UserError(f"{path} is not what a compilation wrote; begin afresh with --no-resume")
    return known
