"""Silence while DSPy's optimizers work: they print by the page, and their progress bars fight with ours."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import optuna
from dspy.utils.logging_utils import DSPY_LOGGING_STREAM


class _Nowhere(io.TextIOBase):
    """Takes everything. Never closed: a progress bar may still write when the silence is over."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def quiet() -> Iterator[None]:
    """Swallows what is printed to stdout and stderr, in every thread, and DSPy's and Optuna's logs; afterwards
    everything is as it was. Who wants to show progress meanwhile writes to a stream taken before."""
    logging, verbosity = DSPY_LOGGING_STREAM.enabled, optuna.logging.get_verbosity()
    DSPY_LOGGING_STREAM.enabled = False
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    nowhere = _Nowhere()
    try:
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield
    finally:
        DSPY_LOGGING_STREAM.enabled = logging
        optuna.logging.set_verbosity(verbosity)
