"""A report that follows a run: written again and again from its journal until the run has ended."""

import time
from collections.abc import Callable, Iterator

from programs.errors import UserError
from programs.files import beside
from programs.reports.making import Made, make
from programs.reports.options import ReportOptions

EVERY = 10.0
"""Seconds between two writings, or as many as a writing takes where that is more."""


def follow(options: ReportOptions, wait: Callable[[float], None] = time.sleep, every: float = EVERY) -> Iterator[Made]:
    """Writes the report, gives what was made, and begins again when time has passed and the journal has grown. The last
    one is of the run's end. Raises `UserError` where there is no journal, and what `make` raises."""
    journal = beside(options.document, "journal")
    journal = options.document if not journal.exists() else journal
    if not journal.name.endswith(".jsonl") or not journal.exists():
        raise UserError(f"--live reads a run's journal, and there is none beside {options.document}")
    while True:
        size, started = journal.stat().st_size, time.monotonic()
        made = make(options, every)
        yield made
        if made.status != "running":
            return
        wait(max(every, time.monotonic() - started))
        while journal.stat().st_size == size:
            wait(every)
