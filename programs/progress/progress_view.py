"""The display's words: a panel for a terminal, a line for a log. Pure."""

import time
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from programs.progress.progress import Progress
from programs.progress.times import in_short, in_time

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
