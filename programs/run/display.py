"""What a run shows while it goes on: a panel on a terminal; anywhere else a line a minute, one at its start and one at its
end."""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from programs.inputs.report import ReadReport
from programs.run.dry_run import calls_of
from programs.run.estimate import Estimator, Limits
from programs.run.ledger import Ledger
from programs.run.progress import Progress, Recent, progress_of
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
        before = self._ledger.gauges.stopping()
        until = time.monotonic() + REFRESH_SECONDS
        while time.monotonic() < until and self._ledger.gauges.stopping() == before:
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


WIDEST = 100
"""Columns: what is wider is harder to read."""

ECHO = 3
"""Columns left free at the right, where a terminal writes ^C: at the edge it would begin a new line and tear the panel."""

MOST_KINDS = 3
LAST = "last"
LONGEST_ERROR = 160
DAY = 24 * 3600.0


def panel(facts: Progress, now: float, columns: int) -> RenderableType:
    """The run at a glance, for a terminal of so many columns. `now` is the time of the clock, in seconds since the
    epoch."""
    rows = Table.grid(padding=(0, 1), expand=True)
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(ratio=1)
    for name, words in _rows(facts, now):
        loud = "yellow" if name in ("waiting", "stopping") else ""
        rows.add_row(
            name, Text(words, style=loud, no_wrap=name == LAST, overflow="ellipsis" if name == LAST else "fold")
        )
    bar = ProgressBar(total=1.0, completed=facts.share or 0.0, pulse=facts.share is None and facts.stopping is None)
    width = max(1, min(WIDEST, columns) - ECHO)
    return Panel(Group(bar, "", rows), title=_title(facts), title_align="left", width=width, padding=(0, 1))


def line(facts: Progress, now: float, event: str = "") -> str:
    """The same on one line, which begins with `progress:`."""
    said = [f"{name} {words}" for name, words in _rows(facts, now)]
    return "; ".join([f"progress: {event + ', ' if event else ''}{_title(facts)}", *said])


def _title(facts: Progress) -> str:
    if facts.total is None:
        return f"{facts.done:,} traces"
    about = "" if facts.sure else "about "
    return f"{facts.done:,} of {about}{facts.total:,} traces ({facts.share or 0.0:.0%})"


def _rows(facts: Progress, now: float) -> Iterator[tuple[str, str]]:
    if facts.stopping is not None:
        yield "stopping", _stopping(facts)
    yield "time", ", ".join([f"{in_time(facts.seconds)} so far", *_end(facts, now), _pace(facts)])
    yield "calls", f"{facts.in_flight} of {facts.capacity} in flight, {facts.calls:,} answered{_reasks(facts)}"
    yield "texts", f"{facts.texts_done:,} done, {facts.texts_open:,} under way"
    lost = "".join(f", {count:,} {status}" for status, count in facts.lost.items())
    yield "traces", f"{facts.accepted:,} accepted{lost}{_short_of(facts)}"
    yield "spent", ", ".join(_spent(facts))
    if facts.errors:
        yield "errors", _errors(facts)
    if facts.last_error:
        yield LAST, facts.last_error[:LONGEST_ERROR]
    if facts.waiting is not None:
        yield "waiting", facts.waiting


def _short_of(facts: Progress) -> str:
    short = facts.sure and facts.expected is not None and facts.expected < (facts.total or 0)
    return f"; the input will give about {facts.expected:,} in all" if short else ""


def _stopping(facts: Progress) -> str:
    calls = f"{facts.in_flight} call{'' if facts.in_flight == 1 else 's'} in flight"
    return f"{facts.stopping}: finishes the {calls} and saves; Ctrl-C {_again(facts)}stops at once"


def _again(facts: Progress) -> str:
    return "again " if facts.stopping == "interrupted" else "twice "


def _end(facts: Progress, now: float) -> Iterator[str]:
    found = facts.estimate
    if facts.stopping is not None:
        return
    if found is None:
        yield "waiting for the first answers" if not facts.calls else "no telling how long: the input is not counted"
        return
    far = found.seconds >= DAY / 2
    clock = time.strftime("%a %d %b %H:%M" if far else "%H:%M", time.localtime(now + found.seconds))
    until = f" until the budget of {found.budget} is spent" if found.budget else ""
    yield f"about {in_time(found.seconds)} left{until} ({'stops' if found.budget else 'done'} {clock})"


def _pace(facts: Progress) -> str:
    return "no trace yet" if facts.pace is None else f"{facts.pace:.1f} traces/min"


def _reasks(facts: Progress) -> str:
    return f", {facts.reasks:,} of them asked again" if facts.reasks else ""


def _spent(facts: Progress) -> Iterator[str]:
    if facts.tokens_read is None or facts.tokens_written is None:
        yield "tokens unknown: the server does not say"
    else:
        yield f"{in_short(facts.tokens_read)} tokens read"
        yield f"{in_short(facts.tokens_written)} written"
    yield "cost unknown" if facts.cost is None else f"cost {facts.cost:.4g}"


def _errors(facts: Progress) -> str:
    kinds = facts.errors.most_common()
    shown = ", ".join(f"{kind} x{count}" for kind, count in kinds[:MOST_KINDS])
    others = sum(count for _, count in kinds[MOST_KINDS:])
    more = f", {others} more" if others else ""
    return shown + more


def in_time(seconds: float) -> str:
    """A span, to two units: 45 s, 3 min 20 s, 2 h 05 min, 3 d 04 h."""
    whole = round(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(whole / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(whole / 3600)
    return f"{hours // 24} d {hours % 24:02d} h"


def in_short(number: float) -> str:
    """A number in at most five characters: 950, 12.3k, 4.56M."""
    for unit in ("", "k", "M", "G"):
        if number < 999.5 or unit == "G":
            break
        number /= 1000
    return f"{number:.0f}{unit}" if not unit or number >= 99.95 else f"{number:.3g}{unit}"
