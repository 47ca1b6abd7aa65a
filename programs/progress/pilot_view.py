"""What a pilot foretells, in words."""

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from programs.progress.extrapolation import FEWEST, Amount, Extrapolation
from programs.progress.times import in_time


def show_pilot(found: Extrapolation, console: Console) -> None:
    """Prints it for a person."""
    table = Table(title=f"foretold by {found.pilot} of {found.of:,} texts", box=None)
    table.add_column("", style="bold")
    table.add_column("whole run", justify="right")
    table.add_column("still to come", justify="right")
    for row in in_words(found):
        table.add_row(*row)
    console.print(table)
    for note in notes(found):
        console.print(f"- {note}", highlight=False, markup=False)


def in_words(found: Extrapolation) -> Iterator[tuple[str, str, str]]:
    """Rows for a person: what, in the whole run, and what of it is still to come."""
    yield "texts", _rounded(found.texts.value) if found.texts.low == found.texts.high else _shown(found.texts), ""
    yield "accepted traces", _shown(found.traces), ""
    for name in ("calls", "tokens_read", "tokens_written", "cost"):
        amount: Amount | None = getattr(found, name)
        if amount is not None:
            left = Amount(**{bound: _less(at, found.spent.get(name, 0.0)) for bound, at in amount})
            yield name.replace("_", " "), _shown(amount), _shown(left)
    yield f"time, {found.concurrency} calls at once", "", _shown(found.seconds, in_time)


def notes(found: Extrapolation) -> Iterator[str]:
    """How it was computed, and what it does not know."""
    if found.pilot < found.chosen:
        yield f"only {found.pilot} of the {found.chosen} texts were driven to their end; the slowest may be missing"
    if found.pilot < FEWEST:
        yield f"{found.pilot} texts are too few for an error bar: it takes {FEWEST}"
    else:
        yield (
            f"in brackets: {found.confidence:.0%} intervals, by a bootstrap over {found.pilot} texts chosen by chance; "
            f"what befalls fewer than one text in {max(1, found.pilot // 3)} may not be in them"
        )
    yield (
        f"time: the seconds of the texts' calls, {found.concurrency} at once, provided that the server answers so many "
        f"as fast as the {found.in_flight:.1f} that it had on the mean"
    )
    if found.refused:
        yield f"servers refused {found.refused} calls for their rate; the time takes that into account"


def _less(at: float | None, spent: float) -> float | None:
    return None if at is None else max(0.0, at - spent)


def _shown(amount: Amount, form: Callable[[float], str] | None = None) -> str:
    form = form or _rounded
    value = form(amount.value)
    if amount.low is None or amount.high is None:
        return value
    low, high = form(amount.low), form(amount.high)
    return f"{value} (all alike)" if low == high else f"{value} ({low} to {high})"


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
