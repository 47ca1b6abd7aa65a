"""What a run shows while it goes on: a panel on a terminal; anywhere else a line a minute, one at its start and one at its
end. Pace and the time left are those of `rich.progress`."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import Progress
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from programs.inputs.report import ReadReport
from programs.run.ledger import Ledger
from programs.settings import Settings

REFRESH_SECONDS = 0.5
PLAIN_SECONDS = 60.0

RECENT = 1800.0
"""Seconds over which the pace is taken."""

PLANNED_TEXTS = 2
"""For how many texts what the settings ask for counts, beside those that are done, in what a text gives."""

WIDEST = 100
"""Columns: what is wider is harder to read."""

ECHO = 3
"""Columns left free at the right, where a terminal writes ^C: at the edge it would begin a new line and tear the panel."""

MOST_KINDS = 3
LAST = "last"
LONGEST_ERROR = 160


class ProgressView:
    """A run as it stands at the last `look`, in words."""

    def __init__(self, ledger: Ledger, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._a_text = settings.traces_a_text
        self._tasks = Progress(speed_estimate_period=RECENT, get_time=clock)
        self._tasks.add_task("traces", total=None)
        (self._traces,) = self._tasks.tasks

    def look(self) -> "ProgressView":
        """Takes the run as it stands now."""
        ledger = self._ledger
        done = ledger.accepted_before + ledger.traces["accepted"]
        # Given with the total, `update` would forget the pace whenever that changes, and take the task for ended for good.
        self._traces.total = None
        self._tasks.update(self._traces.id, completed=done)
        self._traces.total = min((total for total in (ledger.goal, self.expected) if total is not None), default=None)
        return self

    @property
    def expected(self) -> int | None:
        """The traces that the input will give, those of earlier runs included; None: nobody knows."""
        ledger = self._ledger
        if ledger.to_begin is None:
            return None
        a_text = (ledger.traces_done + PLANNED_TEXTS * self._a_text) / (ledger.texts_done + PLANNED_TEXTS)
        more = (ledger.to_begin + ledger.under_way) * a_text
        return ledger.accepted_before + round(ledger.traces["accepted"] + more)

    @property
    def _total(self) -> int | None:
        return self._ledger.goal if self._ledger.goal is not None else self.expected

    @property
    def share(self) -> float | None:
        """Which part of the traces is there, from 0 to 1; None: nobody knows of how many."""
        total = self._total
        return min(1.0, self._traces.completed / total) if total else None

    @property
    def title(self) -> str:
        done, total = int(self._traces.completed), self._total
        about = "about " if self._ledger.goal is None else ""
        of = "" if total is None else f" of {about}{total:,}"
        return f"{done:,}{of} traces" + ("" if total is None else f" ({self.share or 0.0:.0%})")

    def rows(self, now: float) -> Iterator[tuple[str, str]]:
        """Names and words. `now` is the time of the clock, in seconds since the epoch."""
        ledger, spent = self._ledger, self._ledger.total
        if ledger.stopping is not None:
            yield "stopping", self._stopping(ledger.stopping)
        pace = "no pace yet" if not self._traces.speed else f"{60 * self._traces.speed:.1f} traces/min"
        yield "time", ", ".join([f"{in_time(ledger.seconds)} so far", *self._end(now), pace])
        reasks = f", {spent.reasks:,} of them asked again" if spent.reasks else ""
        gate = ledger.gate
        yield "calls", f"{gate.in_flight} of {gate.capacity} in flight, {spent.calls:,} answered{reasks}"
        yield "texts", f"{ledger.texts_done:,} done, {ledger.under_way:,} under way"
        lost = "".join(f", {n:,} {status}" for status, n in sorted(ledger.traces.items()) if n and status != "accepted")
        goal, expected = ledger.goal, self.expected
        short = goal is not None and expected is not None and expected < goal
        said = f"; the input will give about {expected:,} in all" if short else ""
        yield "traces", f"{ledger.traces['accepted']:,} accepted{lost}{said}"
        yield "spent", self._spent()
        if ledger.trouble.faults:
            yield "errors", _in_words(ledger.trouble.faults.most_common())
        if ledger.trouble.last:
            yield LAST, ledger.trouble.last[:LONGEST_ERROR]
        if ledger.trouble.waited_for is not None:
            yield "waiting", ledger.trouble.waited_for

    def _stopping(self, why: str) -> str:
        flying = self._ledger.gate.in_flight
        again = "again " if why == "interrupted" else "twice "
        calls = f"{flying} call{'' if flying == 1 else 's'} in flight"
        return f"{why}: finishes the {calls} and saves; Ctrl-C {again}stops at once"

    def _end(self, now: float) -> Iterator[str]:
        if self._ledger.stopping is not None:
            return
        seconds = self._traces.time_remaining
        if seconds is None:
            known = self._traces.total is not None
            yield "too early to say how long" if known else "no telling how long: the input is not counted"
            return
        clock = time.strftime("%a %d %b %H:%M", time.localtime(now + seconds))
        yield f"about {in_time(seconds)} left (done {clock})"

    def _spent(self) -> str:
        spent, cost = self._ledger.total, self._ledger.budget.cost
        tokens = "tokens unknown: the server does not say"
        if spent.prompt_tokens is not None and spent.completion_tokens is not None:
            tokens = f"{spent.prompt_tokens:,} tokens read, {spent.completion_tokens:,} written"
        return f"{tokens}, {'cost unknown' if cost is None else f'cost {cost:.4g}'}"


def panel(view: ProgressView, now: float, columns: int) -> RenderableType:
    """The run at a glance, for a terminal of so many columns."""
    rows = Table.grid(padding=(0, 1), expand=True)
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(ratio=1)
    for name, words in view.rows(now):
        style, last = "yellow" if name in ("waiting", "stopping") else "", name == LAST
        rows.add_row(name, Text(words, style=style, no_wrap=last, overflow="ellipsis" if last else "fold"))
    bar = ProgressBar(total=1.0, completed=view.share or 0.0, pulse=view.share is None)
    width = max(1, min(WIDEST, columns) - ECHO)
    return Panel(Group(bar, "", rows), title=view.title, title_align="left", width=width, padding=(0, 1))


def line(view: ProgressView, now: float, event: str = "") -> str:
    """The same on one line, which begins with `progress:`."""
    said = [f"{name} {words}" for name, words in view.rows(now)]
    return "; ".join([f"progress: {event + ', ' if event else ''}{view.title}", *said])


@contextlib.asynccontextmanager
async def shown(ledger: Ledger, settings: Settings, report: ReadReport, console: Console) -> AsyncIterator[None]:
    """Shows the run while the block goes on."""
    view = ProgressView(ledger, settings)
    terminal = console.is_terminal and not console.is_dumb_terminal
    task = asyncio.create_task(_live(view, ledger, report, console) if terminal else _plain(view, ledger, console))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _live(view: ProgressView, ledger: Ledger, report: ReadReport, console: Console) -> None:
    # What is logged to the same terminal appears above the panel and does not tear it.
    above = sys.stderr.isatty()
    with Live(console=console, auto_refresh=False, transient=True, redirect_stderr=above) as live:
        while True:
            starting = Text(f"starting: {report.lines:,} lines read")
            live.update(panel(view.look(), time.time(), console.width) if ledger.reading else starting, refresh=True)
            await asyncio.sleep(REFRESH_SECONDS)


async def _plain(view: ProgressView, ledger: Ledger, console: Console) -> None:
    said: float | None = None

    def say(event: str) -> None:
        console.print(line(view.look(), time.time(), event), highlight=False, markup=False, soft_wrap=True)

    try:
        while True:
            if ledger.reading and (said is None or time.monotonic() - said >= PLAIN_SECONDS):
                say("begins" if said is None else "")
                said = time.monotonic()
            await asyncio.sleep(REFRESH_SECONDS)
    finally:
        if ledger.reading:
            say("ends")


def _in_words(kinds: list[tuple[str, int]]) -> str:
    shown = ", ".join(f"{kind} x{count}" for kind, count in kinds[:MOST_KINDS])
    others = sum(count for _, count in kinds[MOST_KINDS:])
    return f"{shown}, {others} more" if others else shown


def in_time(seconds: float) -> str:
    """1:25:24, or 3 days, 4:05:00."""
    return str(timedelta(seconds=round(seconds)))
