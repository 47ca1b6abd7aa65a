"""What a run shows while it goes on: a live line on a terminal, a line a minute anywhere else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from programs.ledger import Ledger

REFRESH_SECONDS = 0.5
PLAIN_SECONDS = 60.0


@contextlib.asynccontextmanager
async def shown(ledger: Ledger, console: Console) -> AsyncIterator[None]:
    """Shows the ledger while the block runs."""
    task = asyncio.create_task(_live(ledger, console) if console.is_terminal else _plain(ledger, console))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _live(ledger: Ledger, console: Console) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("traces"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("traces", total=ledger.goal, state="")
        while True:
            done = ledger.accepted_before + ledger.units["accepted"]
            progress.update(task, completed=done, total=ledger.goal, state=state_of(ledger))
            await asyncio.sleep(REFRESH_SECONDS)


async def _plain(ledger: Ledger, console: Console) -> None:
    while True:
        await asyncio.sleep(PLAIN_SECONDS)
        done = ledger.accepted_before + ledger.units["accepted"]
        goal = f" of {ledger.goal}" if ledger.goal is not None else ""
        console.print(f"{ledger.seconds:.0f} s: {done}{goal} traces, {state_of(ledger)}", highlight=False)


def state_of(ledger: Ledger) -> str:
    """What goes on, in a few words."""
    spent = ledger.total
    pace = 60 * ledger.units["accepted"] / ledger.seconds if ledger.seconds > 1 else 0.0
    parts = [f"{ledger.in_flight} in flight", f"{spent.calls} calls", f"{pace:.1f} traces/min"]
    if spent.completion_tokens:
        parts.append(f"{spent.completion_tokens} tokens written")
    faults = sum(spent.faults.values())
    lost = sum(count for status, count in ledger.units.items() if status != "accepted")
    parts += [f"{faults} faults"] if faults else []
    parts += [f"{lost} not taken"] if lost else []
    return ", ".join(parts)
