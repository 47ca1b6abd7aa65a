"""The models of a compilation, each opened once, and every call to them recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from optimize.recording.recorded import recorded
from optimize.recording.recorder import Recorder
from optimize.settings import CompileSettings
from programs.asking.models import ModelTable
from programs.background_loop import run
from programs.lms.resolve import Model
from programs.settings import Settings


@dataclass(frozen=True)
class Models:
    """`student` is the model whose prompts are tuned; the judges are by name."""

    student: Model
    judges: dict[str, Model]
    report_judges: dict[str, Model]
    proposer: Model


def table_of(settings: CompileSettings) -> ModelTable:
    """The models that a compilation names, opened but not reached. Raises `UserError` for a name that is none."""
    others = [*settings.judges, *settings.report_judges, settings.proposer]
    return ModelTable(
        Settings(
            model=settings.model,
            judge_models=others,
            quality_check=True,
            api_base=settings.api_base,
            max_output_tokens=settings.max_output_tokens,
            timeout=settings.timeout,
            patience=settings.patience,
            retry_wait=settings.retry_wait,
        )
    )


@contextmanager
def recorded_models(settings: CompileSettings, recorder: Recorder) -> Iterator[Models]:
    """The models, reached. Raises `UserError` when one cannot be reached, before any work begins."""
    table = table_of(settings)
    try:
        run(table.reach())
        yield Models(
            student=recorded(table.main, recorder, "student"),
            judges={name: recorded(table.named(name), recorder, "judge") for name in settings.judges},
            report_judges={
                name: recorded(table.named(name), recorder, "report-judge") for name in settings.report_judges
            },
            proposer=recorded(table.named(settings.proposer), recorder, "proposer"),
        )
    finally:
        # First of all: a call under way whose connection is closed would be made again.
        recorder.close()
        # A call that is tried again and again would keep an interrupted compilation from ending.
        recorder.wait(settings.timeout)
        run(table.close())
