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
    anyone's."""
    path = folder / NAME
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
