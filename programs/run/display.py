"""Shows the progress of a run: a panel on a terminal; elsewhere a line at the start, one a minute and one at the end. With
`--follow` the reply of each stage is printed as it arrives."""

import asyncio
import contextlib
import logging
import math
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import yaml
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.inputs.cleaning import clean
from programs.run.ledger import Ledger
from programs.settings import Settings
from signatures.answer import FinalAnswer

REFRESH_SECONDS = 0.5
PLAIN_SECONDS = 60.0

PACE_SECONDS = 1800.0
"""Seconds over which the pace is measured."""

PLANNED_TEXTS = 2
"""The estimate of traces per text starts from this many imaginary texts that give all the traces asked for."""

MAX_COLUMNS = 100
"""Columns of the panel: a wider one is harder to read."""

ECHO_COLUMNS = 3
"""Columns left free on the right, where the terminal echoes ^C; at the edge it would wrap and break the panel."""

MAX_FAULT_KINDS = 3
MAX_ERROR_CHARS = 160

log = logging.getLogger("synthreasoner")


class ProgressView:
    """The progress of a run at the last `look`. `done`: accepted traces, including those of earlier runs; `expected`: how
    many the input is estimated to give in all; `total`: the goal, or else `expected`. The last two are None if unknown."""

    def __init__(self, ledger: Ledger, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger, self._traces_per_text = ledger, settings.traces_per_text
        self._clock, self._looks = clock, deque[tuple[float, int]]()

    def look(self) -> "ProgressView":
        """Updates the view to the present state of the run."""
        ledger = self._ledger
        self.done = ledger.traces["accepted"]
        self.expected = None
        made = self.done - ledger.accepted_before + PLANNED_TEXTS * self._traces_per_text
        # If traces are decided again and become fewer, that says nothing about those to come.
        if (texts := ledger.texts_left) is not None and made >= 0:
            self.expected = self.done + round(texts * made / (ledger.texts_done + PLANNED_TEXTS))
        self.total = self.expected if ledger.goal is None else ledger.goal
        self._looks.append((self._clock(), self.done))
        while self._looks[-1][0] - self._looks[0][0] > PACE_SECONDS:
            self._looks.popleft()
        return self

    @property
    def pace(self) -> float:
        """Traces per second since the first look of the last `PACE_SECONDS`; 0 if none was made. The time since the newest
        trace counts as well: `rich.progress` leaves it out, and took two traces after ten minutes for two a minute."""
        (since, before), (now, done) = self._looks[0], self._looks[-1]
        return max(0, done - before) / (now - since) if now > since else 0.0

    @property
    def share(self) -> float | None:
        """The fraction of the traces that is done, from 0 to 1; None if the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def title(self) -> str:
        if self.total is None:
            return f"{self.done:,} traces"
        about = "about " if self._ledger.goal is None else ""
        return f"{self.done:,} of {about}{self.total:,} traces ({self.share or 0.0:.0%})"

    def rows(self, now: float) -> Iterator[tuple[str, str]]:
        """Yields the name and the text of each row. `now`: wall-clock time, in seconds since the epoch."""
        ledger = self._ledger
        spent, gate = ledger.total, ledger.gate
        if ledger.stopping is not None:
            presses = "again " if gate.interrupted else "twice "
            calls = f"{gate.in_flight} call{'' if gate.in_flight == 1 else 's'} in flight"
            yield "stopping", f"{ledger.stopping}: finishing the {calls}, then saving; Ctrl-C {presses}stops at once"
        so_far = f"{format_duration(ledger.seconds)} so far"
        yield "time", ", ".join([so_far, *self._time_left(now), self._format_pace()])
        reasks = f", {spent.reasks:,} of them asked again" if spent.reasks else ""
        waiting = 0 if gate.closed else ledger.retries.waiting
        waits = f", {waiting} waiting to retry" if waiting else ""
        yield "calls", f"{gate.in_flight} of {gate.capacity} in flight{waits}, {spent.calls:,} finished{reasks}"
        yield "texts", f"{ledger.texts_done:,} done, {ledger.texts_in_progress:,} in progress"
        lost = "".join(f", {n:,} {status}" for status, n in sorted(ledger.traces.items()) if n and status != "accepted")
        falls_short = ledger.goal is not None and self.expected is not None and self.expected < ledger.goal
        forecast = f"; the input will give about {self.expected:,} in all" if falls_short else ""
        yield "traces", f"{self.done:,} accepted{lost}{forecast}"
        yield "spent", self._spent()
        if (retries := ledger.retries).last:
            yield "errors", ", ".join(f"{kind} x{n}" for kind, n in retries.faults.most_common(MAX_FAULT_KINDS))
            yield "last", retries.last[:MAX_ERROR_CHARS]

    def _format_pace(self) -> str:
        if not self.pace:
            return "no pace yet"
        return f"{60 * self.pace:.1f} traces/min" if self.pace > 1 / 60 else f"{3600 * self.pace:.1f} traces/h"

    def _time_left(self, now: float) -> Iterator[str]:
        totals = [total for total in (self._ledger.goal, self.expected) if total is not None]
        left = min(totals, default=math.inf) - self.done
        seconds = left / self.pace if self.pace else math.inf
        if self._ledger.stopping is not None or left <= 0:
            return
        if seconds < 1e9:  # beyond some thirty years the run has hardly started, and its end may have no date
            clock = time.strftime("%a %d %b %Y %H:%M", time.localtime(now + seconds))
            yield f"about {format_duration(math.ceil(seconds))} left (done {clock})"
        elif totals:
            yield "too early to estimate the time left"
        else:
            yield f"time left unknown{': the size of the input is unknown' if self._ledger.texts_left is None else ''}"

    def _spent(self) -> str:
        spent, cost = self._ledger.total, self._ledger.budget.cost
        tokens = "tokens unknown: not reported by the server"
        if spent.prompt_tokens is not None and spent.completion_tokens is not None:
            tokens = f"{spent.prompt_tokens:,} tokens read, {spent.completion_tokens:,} written"
        return f"{tokens}, {'cost unknown' if cost is None else f'cost {cost:.4g}'}"


def panel(view: ProgressView, now: float, columns: int) -> RenderableType:
    """The progress panel for a terminal of `columns` columns."""
    rows = Table.grid(padding=(0, 1), expand=True)
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(ratio=1)
    for name, words in view.rows(now):
        style = "yellow" if name == "stopping" else ""
        last = name == "last"
        rows.add_row(name, Text(words, style=style, no_wrap=last, overflow="ellipsis" if last else "fold"))
    bar = ProgressBar(total=1.0, completed=view.share or 0.0, pulse=view.share is None)
    width = max(1, min(MAX_COLUMNS, columns) - ECHO_COLUMNS)
    return Panel(Group(bar, "", rows), title=view.title, title_align="left", width=width, padding=(0, 1))


def line(view: ProgressView, now: float, event: str = "") -> str:
    rows = [f"{name} {words}" for name, words in view.rows(now)]
    return "; ".join([f"progress: {event + ', ' if event else ''}{view.title}", *rows])


@contextlib.asynccontextmanager
async def show_progress(ledger: Ledger, settings: Settings, console: Console) -> AsyncIterator[None]:
    """Shows the progress of the run while the block runs."""
    view = ProgressView(ledger, settings)
    terminal = console.is_terminal and not console.is_dumb_terminal
    task = asyncio.create_task(_update_panel(view, console) if terminal else _print_lines(view, console))
    try:
        yield
    finally:
        task.cancel()
        (error,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(error, Exception):  # a broken display must not end the run
            log.error("the progress could not be shown: %r", error, exc_info=error)


async def _update_panel(view: ProgressView, console: Console) -> None:
    # Log lines on the same terminal appear above the panel instead of breaking it.
    redirect = sys.stderr.isatty()
    with Live(console=console, auto_refresh=False, transient=True, redirect_stderr=redirect) as live:
        while True:
            live.update(panel(view.look(), time.time(), console.width), refresh=True)
            await asyncio.sleep(REFRESH_SECONDS)


async def _print_lines(view: ProgressView, console: Console) -> None:
    def say(event: str) -> None:
        console.print(line(view.look(), time.time(), event), soft_wrap=True)

    say("started")
    try:
        while True:
            await asyncio.sleep(PLAIN_SECONDS)
            say("")
    finally:
        say("ended")


def format_duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def reply_printer(console: Console) -> Callable[[Ask, Reply], None]:
    """Returns a callback that prints each reply, or why it is not usable, and each text before its first question."""
    passages = set[str]()

    def show(title: str, body: str = "") -> None:
        console.print(Text(clean(title) or "", style="bold"))
        if body:
            console.print(Padding(Text(clean(body) or ""), (0, 0, 1, 2)))

    def on_reply(ask: Ask, reply: Reply) -> None:
        if ask.stage == "questions" and ask.sample not in passages:
            passages.add(ask.sample)
            show("passage", str(ask.inputs["passage"]))
        title = f"{'thought' if ask.stage == 'trace' else ask.stage} ({reply.spent.seconds:.0f} s)"
        if reply.status == "ok":
            show(title, _format_output(reply.output))
        else:
            show(f"{title}: not usable: {'; '.join(reply.problems)}")

    return on_reply


def _format_output(output: Any) -> str:
    """A thought or an answer as prose, any other output as YAML."""
    if "paragraphs" in output:
        return "\n\n".join(paragraph["text"] for paragraph in output["paragraphs"])
    if "text" in output and set(output) <= set(FinalAnswer.model_fields):
        return str(output["text"])
    plain = {name.replace("_", " "): part for name, part in output.items()}
    for name, part in plain.items():
        # A single number as a string would be quoted by YAML.
        if isinstance(part, list) and len(part) > 1 and all(isinstance(item, int) for item in part):
            plain[name] = ", ".join(map(str, part))
    # The console wraps the lines.
    return str(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=math.inf)).rstrip()
