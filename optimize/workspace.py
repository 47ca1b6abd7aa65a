"""Where a compilation is done: its folder, which goes on only with what its calls and scores were made for; its
journal, open; its models, reached; and DSPy, set up for them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dspy
from rich.console import Console

from optimize.models import Models, recorded_models
from optimize.recording.recorder import Recorder
from optimize.settings import CompileSettings
from programs.asking.adapter import adapter_for
from programs.errors import UserError
from programs.telemetry.logs import LogOptions
from programs.telemetry.tracing import TraceOptions


@contextmanager
def workspace(
    settings: CompileSettings, data: str, console: Console, at_once: int
) -> Iterator[tuple[Models, Recorder]]:
    """The models and the recorder of a compilation on texts with the hash `data`, which makes so many calls at once; the
    LM that DSPy is configured with inside is the student's.
    Raises `UserError` when a model cannot be reached or the folder is another compilation's, and `JournalError`. What made
    the recorder give up is raised whatever DSPy made of it."""
    with Recorder(settings.output, max_calls=settings.max_calls, at_once=at_once) as recorder:
        check_folder(settings.output, settings, data, begun=recorder.account.all_paid.calls > 0)
        if recorder.mended:
            console.print(f"{recorder.path}: a torn last line of {recorder.mended} bytes was cut off")
        adapter = adapter_for(settings.prompt_order)
        with (
            recorded_models(settings, recorder) as models,
            dspy.context(lm=models.student.lm, adapter=adapter, disable_history=True, trace=None),
        ):
            try:
                yield models, recorder
            except KeyboardInterrupt:
                # DSPy's threads go on for a moment, and would log how they end.
                dspy.disable_logging()
                console.print("interrupted: the calls under way are waited for; run the same command again to go on")
                raise
            except Exception as error:
                if recorder.failure in (None, error):
                    raise
                raise recorder.failure from error


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


def check_folder(folder: Path, settings: CompileSettings, data: str, *, begun: bool = True) -> None:
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
