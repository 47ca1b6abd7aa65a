"""Where a compilation is done: its journal is open, its models are reached, and DSPy is set up for them."""

from collections.abc import Iterator
from contextlib import contextmanager

import dspy
from rich.console import Console

from optimize.claim import claim
from optimize.models import Models, recorded_models
from optimize.recording.recorder import Recorder
from optimize.settings import CompileSettings
from programs.asking.adapter import adapter_for


@contextmanager
def workplace(settings: CompileSettings, data: str, console: Console) -> Iterator[tuple[Models, Recorder]]:
    """The models and the recorder of a compilation on texts with the hash `data`; the LM that DSPy is configured with
    inside is the student's.
    Raises `UserError` when a model cannot be reached or the folder is another compilation's, and `JournalError`. What made
    the recorder give up is raised whatever DSPy made of it."""
    with Recorder(settings.output, max_calls=settings.max_calls) as recorder:
        claim(settings.output, settings, data, begun=recorder.account.all_paid.calls > 0)
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
