"""What a run shows while it goes on: a panel on a terminal; anywhere else a line a minute, one at its start and one at its
end."""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator

from rich.console import Console
from rich.live import Live
from rich.text import Text

from programs.inputs.report import ReadReport
from programs.progress.estimate import Estimator, Limits
from programs.progress.progress import Progress, Recent, progress_of
from programs.progress.progress_view import line, panel
from programs.running.dry_run import calls_of
from programs.running.ledger import Ledger
from programs.settings import Settings

REFRESH_SECONDS = 0.5
STEPS = 5
PLAIN_SECONDS = 60.0

MANY = 1000
"""Texts over which the plan's calls are averaged: some are asked for a share of the traces only."""


def estimator_of(settings: Settings) -> Estimator:
    """The estimate of the end of a run by these settings."""
    asks = sum(calls_of(settings, MANY).values()) / MANY
    limits = Limits(settings.max_calls, settings.max_tokens_total, settings.max_cost)
    return Estimator(asks, settings.traces_a_text, limits)


class Watch:
    """Looks at a run again and again."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._estimator = estimator_of(settings)
        self._recent = Recent()

    def look(self) -> Progress:
        """The run as it stands now."""
        self._estimator.feed(self._ledger.snapshot())
        pace = self._recent.pace(self._ledger.units["accepted"])
        return progress_of(self._ledger, self._estimator.estimate(), pace)

    async def pause(self) -> None:
        """Waits for the next look, which is taken at once when the run begins to stop."""
        before = self._ledger.around.stopping()
        until = time.monotonic() + REFRESH_SECONDS
        while time.monotonic() < until and self._ledger.around.stopping() == before:
            await asyncio.sleep(REFRESH_SECONDS / STEPS)


@contextlib.asynccontextmanager
async def shown(ledger: Ledger, settings: Settings, report: ReadReport, console: Console) -> AsyncIterator[None]:
    """Shows the run while the block goes on."""
    watch = Watch(ledger, settings)
    if console.is_terminal and not console.is_dumb_terminal:
        showing = _live(watch, report, console)
    else:
        showing = _plain(watch, console)
    task = asyncio.create_task(showing)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _live(watch: Watch, report: ReadReport, console: Console) -> None:
    both = sys.stderr.isatty()
    with Live(console=console, auto_refresh=False, transient=True, redirect_stderr=both) as live, _logs_above(both):
        while True:
            facts = watch.look()
            starting = Text(f"starting: {report.lines:,} lines read")
            live.update(panel(facts, time.time(), console.width) if facts.begun else starting, refresh=True)
            await watch.pause()


@contextlib.contextmanager
def _logs_above(both: bool) -> Iterator[None]:
    """What is logged to the terminal appears above the panel and does not tear it."""
    ours = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler] if both else []
    before = [one.setStream(sys.stderr) for one in ours]
    try:
        yield
    finally:
        for one, stream in zip(ours, before, strict=True):
            if stream is not None:
                one.setStream(stream)


async def _plain(watch: Watch, console: Console) -> None:
    said: float | None = None
    try:
        while True:
            facts = watch.look()
            if facts.begun and (said is None or time.monotonic() - said >= PLAIN_SECONDS):
                _print(facts, console, "begins" if said is None else "")
                said = time.monotonic()
            await asyncio.sleep(REFRESH_SECONDS)
    finally:
        facts = watch.look()
        if facts.begun:
            _print(facts, console, "ends")


def _print(facts: Progress, console: Console, event: str) -> None:
    console.print(line(facts, time.time(), event), highlight=False, markup=False, soft_wrap=True)
