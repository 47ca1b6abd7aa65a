"""Where a compilation is done: its folder, which goes on only with what its calls and scores were made for; its journal,
open; its models, reached; and DSPy, set up for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dspy
from rich.console import Console

from optimize.compilation import Compilation, Models
from optimize.recording import Recorder, recorded
from optimize.settings import CompileSettings
from programs.asking.adapter import adapter_for
from programs.asking.models import ModelTable
from programs.background_loop import run
from programs.errors import UserError

RESULTS = ("program.json", "report.json", "report.md")


@contextmanager
def workspace(compilation: Compilation, console: Console) -> Iterator[Models]:
    """The models of a compilation, and DSPy configured with the student's. Raises `UserError` when one cannot be reached or
    the folder is another compilation's, and `JournalError`. What made the recorder give up is raised whatever DSPy made of
    it. At the end the calls under way are waited for, as long as one may take."""
    settings = compilation.settings
    recorder = Recorder(settings.output, max_calls=settings.max_calls, at_once=compilation.concurrency)
    table = ModelTable(settings.of_a_run)
    try:
        check_folder(settings, compilation.data, recorder)
        if recorder.journal.mended:
            console.print(f"{recorder.journal.path}: a torn last line of {recorder.journal.mended} bytes was cut off")
        run(table.reach())
        models = Models(
            student=recorded(table.main, recorder, "student"),
            judges={name: recorded(table.named(name), recorder, "judge") for name in settings.judges},
            report_judges={n: recorded(table.named(n), recorder, "report-judge") for n in settings.report_judges},
            proposer=recorded(table.named(settings.proposer), recorder, "proposer"),
            recorder=recorder,
        )
        adapter = adapter_for(settings.prompt_order)
        with dspy.context(lm=models.student.lm, adapter=adapter, disable_history=True, trace=None):
            yield models
    except KeyboardInterrupt:
        # DSPy's threads go on for a moment, and would log how they end.
        dspy.disable_logging()
        console.print("interrupted: the calls under way are waited for; run the same command again to go on")
        raise
    except Exception as error:
        if recorder.failure in (None, error):
            raise
        raise recorder.failure from error
    finally:
        # First of all: a call under way whose connection is closed would be made again.
        recorder.stop(settings.timeout)
        run(table.close())
        recorder.journal.close()


def check_folder(settings: CompileSettings, data: dict[str, dict[str, Any]], recorder: Recorder) -> None:
    """Writes into the journal what it is for, or finds it written. Raises `UserError`, naming the options that differ,
    where it is for something else. A folder where nothing was paid for is anyone's, unless it holds results: what is there
    without the calls that it was made of cannot be gone on with, and must not be written over."""
    folder, journal = settings.output, recorder.journal
    wanted = {name: value for name, value in settings.model_dump(mode="json").items() if name not in settings.free}
    wanted["hashes of the texts"] = {side: part["hash"] for side, part in data.items()}
    known = journal.latest("run", "") if recorder.calls else None
    found = [name for name in RESULTS if (folder / name).exists()]
    if known is None and found:
        raise UserError(
            f"{folder} holds {found[0]} without the calls that it was made of: choose another --output, or move it aside "
            "with --no-resume"
        )
    if known is None:
        journal.append("run", None, settings=wanted)
        return
    changed = [
        f"{name if ' ' in name else '--' + name.replace('_', '-')} was {known['settings'].get(name)} and is now {value}"
        for name, value in wanted.items()
        if known["settings"].get(name) != value
    ]
    if changed:
        raise UserError(
            f"{folder} holds another compilation: {'; '.join(changed)}. "
            "Choose another --output, or begin afresh with --no-resume"
        )
