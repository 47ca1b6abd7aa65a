"""What a run shows while it goes on: a panel on a terminal; anywhere else a line a minute, one at its start and one at its
end. Pace and the time left are those of `rich.progress`. With `--follow` also what the stages said, as it comes."""

import asyncio
import contextlib
import logging
import math
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import yaml
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import Progress
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

RECENT = 1800.0
"""Seconds over which the pace is taken."""

PLANNED_TEXTS = 2
"""For how many texts what the settings ask for counts, beside those that are done, in what a text gives."""

WIDEST = 100
"""Columns: what is wider is harder to read."""

ECHO = 3
"""Columns left free at the right, where a terminal writes ^C: at the edge it would begin a new line and tear the panel."""

MOST_KINDS = 3
LONGEST_ERROR = 160

log = logging.getLogger("synthreasoner")


class ProgressView:
    """A run as it stands at the last `look`, in words. `done` traces are there, of `total`, those of earlier runs included
    (None: nobody knows of how many); `expected` of them the input will give."""

    def __init__(self, ledger: Ledger, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger, self._a_text = ledger, settings.traces_a_text
        self._progress = Progress(speed_estimate_period=RECENT, get_time=clock)
        self._progress.add_task("traces", total=None)
        (self._task,) = self._progress.tasks

    def look(self) -> "ProgressView":
        """Takes the run as it stands now."""
        ledger = self._ledger
        self.done, self.expected = ledger.traces["accepted"], None
        made = self.done - ledger.accepted_before + PLANNED_TEXTS * self._a_text
        # Where traces are decided again, and become fewer, that tells nothing of those to come.
        if (texts := ledger.to_end) is not None and made >= 0:
            self.expected = self.done + round(texts * made / (ledger.texts_done + PLANNED_TEXTS))
        self.total = self.expected if ledger.goal is None else ledger.goal
        # Without a total: `update` would forget the pace whenever that changes, and take the task for ended.
        self._progress.update(self._task.id, completed=self.done)
        return self

    @property
    def share(self) -> float | None:
        """Which part of the traces is there, from 0 to 1; None: nobody knows of how many."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def title(self) -> str:
        if self.total is None:
            return f"{self.done:,} traces"
        about = "about " if self._ledger.goal is None else ""
        return f"{self.done:,} of {about}{self.total:,} traces ({self.share or 0.0:.0%})"

    def rows(self, now: float) -> Iterator[tuple[str, str]]:
        """Names and words. `now` is the time of the clock, in seconds since the epoch."""
        ledger, spent, gate = self._ledger, self._ledger.total, self._ledger.gate
        if ledger.stopping is not None:
            again = "again " if gate.interrupted else "twice "
            calls = f"{gate.in_flight} call{'' if gate.in_flight == 1 else 's'} in flight"
            yield "stopping", f"{ledger.stopping}: finishes the {calls} and saves; Ctrl-C {again}stops at once"
        pace = "no pace yet" if not self._task.speed else f"{60 * self._task.speed:.1f} traces/min"
        yield "time", ", ".join([f"{in_time(ledger.seconds)} so far", *self._end(now), pace])
        reasks = f", {spent.reasks:,} of them asked again" if spent.reasks else ""
        waits = f", {ledger.waiting} waiting to be tried again" if ledger.waiting else ""
        yield "calls", f"{gate.in_flight} of {gate.capacity} in flight{waits}, {spent.calls:,} answered{reasks}"
        yield "texts", f"{ledger.texts_done:,} done, {ledger.under_way:,} under way"
        lost = "".join(f", {n:,} {status}" for status, n in sorted(ledger.traces.items()) if n and status != "accepted")
        short = ledger.goal is not None and self.expected is not None and self.expected < ledger.goal
        said = f"; the input will give about {self.expected:,} in all" if short else ""
        yield "traces", f"{self.done:,} accepted{lost}{said}"
        yield "spent", self._spent()
        if ledger.last_fault:
            yield "errors", ", ".join(f"{kind} x{n}" for kind, n in ledger.faults.most_common(MOST_KINDS))
            yield "last", ledger.last_fault[:LONGEST_ERROR]

    def _end(self, now: float) -> Iterator[str]:
        ends = [total for total in (self._ledger.goal, self.expected) if total is not None]
        left = min(ends, default=math.inf) - self.done
        seconds = left / self._task.speed if self._task.speed else math.inf
        if self._ledger.stopping is not None or left <= 0:
            return
        if seconds < 1e9:  # what would take thirty years has hardly begun, and may have no date
            clock = time.strftime("%a %d %b %Y %H:%M", time.localtime(now + seconds))
            yield f"about {in_time(math.ceil(seconds))} left (done {clock})"
        elif ends:
            yield "too early to say how long"
        else:
            yield f"no telling how long{': the input is not counted' if self._ledger.to_end is None else ''}"

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
        style, last = "yellow" if name == "stopping" else "", name == "last"
        rows.add_row(name, Text(words, style=style, no_wrap=last, overflow="ellipsis" if last else "fold"))
    bar = ProgressBar(total=1.0, completed=view.share or 0.0, pulse=view.share is None)
    width = max(1, min(WIDEST, columns) - ECHO)
    return Panel(Group(bar, "", rows), title=view.title, title_align="left", width=width, padding=(0, 1))


def line(view: ProgressView, now: float, event: str = "") -> str:
    said = [f"{name} {words}" for name, words in view.rows(now)]
    return "; ".join([f"progress: {event + ', ' if event else ''}{view.title}", *said])


@contextlib.asynccontextmanager
async def shown(ledger: Ledger, settings: Settings, console: Console) -> AsyncIterator[None]:
    """Shows the run while the block goes on."""
    view = ProgressView(ledger, settings)
    terminal = console.is_terminal and not console.is_dumb_terminal
    task = asyncio.create_task(_live(view, console) if terminal else _plain(view, console))
    try:
        yield
    finally:
        task.cancel()
        (error,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(error, Exception):  # the run, which is worth more, goes on without a panel, and to its end
            log.error("the run could not be shown: %r", error, exc_info=error)


async def _live(view: ProgressView, console: Console) -> None:
    # What is logged to the same terminal appears above the panel and does not tear it.
    above = sys.stderr.isatty()
    with Live(console=console, auto_refresh=False, transient=True, redirect_stderr=above) as live:
        while True:
            live.update(panel(view.look(), time.time(), console.width), refresh=True)
            await asyncio.sleep(REFRESH_SECONDS)


async def _plain(view: ProgressView, console: Console) -> None:
    def say(event: str) -> None:
        console.print(line(view.look(), time.time(), event), soft_wrap=True)

    say("begins")
    try:
        while True:
            await asyncio.sleep(PLAIN_SECONDS)
            say("")
    finally:
        say("ends")


def in_time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def follower(console: Console) -> Callable[[Ask, Reply], None]:
    """What prints each reply, or in one line why it said nothing; before the first question of a text, the text."""
    passages = set[str]()

    def show(title: str, said: str = "") -> None:
        console.print(Text(clean(title) or "", style="bold"))
        if said:
            console.print(Padding(Text(clean(said) or ""), (0, 0, 1, 2)))

    def on_reply(ask: Ask, reply: Reply) -> None:
        if ask.stage == "questions" and ask.sample not in passages:
            passages.add(ask.sample)
            show("passage", str(ask.inputs["passage"]))
        title = f"{'thought' if ask.stage == 'trace' else ask.stage} ({reply.spent.seconds:.0f} s)"
        if reply.status == "ok":
            show(title, _in_words(reply.output))
        else:
            show(f"{title}: not usable: {'; '.join(reply.problems)}")

    return on_reply


def _in_words(said: Any) -> str:
    """A reply as prose, where it is a thought or an answer, else as YAML."""
    if "paragraphs" in said:
        return "\n\n".join(paragraph["text"] for paragraph in said["paragraphs"])
    if "text" in said and set(said) <= set(FinalAnswer.model_fields):
        return str(said["text"])
    plain = {name.replace("_", " "): part for name, part in said.items()}
    for name, part in plain.items():
        # Of one number alone YAML would make a quoted text.
        if isinstance(part, list) and len(part) > 1 and all(isinstance(item, int) for item in part):
            plain[name] = ", ".join(map(str, part))
    # The console breaks its lines.
    return str(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=math.inf)).rstrip()
