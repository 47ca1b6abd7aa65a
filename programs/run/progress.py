"""Where a run is: what the display shows, as facts."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from programs.run.estimate import Estimate
from programs.run.ledger import Ledger

RECENT = 120.0
"""Seconds over which traces a minute are counted."""


@dataclass(frozen=True)
class Progress:
    """Facts about a run. `done` counts the accepted traces of earlier runs too, and so does `total`, which is the goal
    (`sure`) or what is `expected` of the input; None: nobody knows. `pace` is in traces a minute, of late; None before the
    first. Tokens and `cost` are None where they are unknown. `waiting` is what calls wait for, `stopping` why no new ones
    start; None: nothing, and they do."""

    begun: bool
    done: int
    total: int | None
    sure: bool
    expected: int | None
    seconds: float
    estimate: Estimate | None
    pace: float | None
    in_flight: int
    capacity: int
    texts_done: int
    texts_open: int
    calls: int
    tokens_read: int | None
    tokens_written: int | None
    cost: float | None
    accepted: int
    lost: dict[str, int]
    reasks: int
    errors: Counter[str]
    last_error: str | None
    waiting: str | None
    stopping: str | None

    @property
    def share(self) -> float | None:
        """Which part of the traces is there, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else None


class Recent:
    """The pace of late."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: list[tuple[float, int]] = [(clock(), 0)]

    def pace(self, accepted: int) -> float | None:
        """Traces a minute over the last two minutes, or since the start; None before the first trace. To be asked again and
        again."""
        now = self._clock()
        self._seen.append((now, accepted))
        # The last one that is old enough stays, to count from.
        while len(self._seen) > 2 and self._seen[1][0] <= now - RECENT:
            self._seen.pop(0)
        then, before = self._seen[0]
        return 60 * (accepted - before) / (now - then) if accepted and now > then else None


def progress_of(ledger: Ledger, estimate: Estimate | None, pace: float | None) -> Progress:
    """The facts as they stand."""
    spent = ledger.total
    done = ledger.accepted_before + ledger.units["accepted"]
    expected = None if estimate is None or estimate.traces is None else ledger.accepted_before + round(estimate.traces)
    lost = {status: count for status, count in sorted(ledger.units.items()) if status != "accepted" and count}
    if ledger.samples_failed:
        lost["texts failed"] = ledger.samples_failed
    return Progress(
        begun=ledger.begun,
        done=done,
        total=ledger.goal if ledger.goal is not None else expected,
        sure=ledger.goal is not None,
        expected=expected,
        seconds=ledger.seconds,
        estimate=estimate,
        pace=pace,
        in_flight=ledger.work.in_flight,
        capacity=ledger.gauges.capacity(),
        texts_done=ledger.samples_done,
        texts_open=ledger.work.open,
        calls=spent.calls,
        tokens_read=spent.prompt_tokens,
        tokens_written=spent.completion_tokens,
        cost=ledger.gauges.cost(),
        accepted=ledger.units["accepted"],
        lost=lost,
        reasks=spent.reasks,
        errors=ledger.trouble.by_kind(spent.faults),
        last_error=ledger.trouble.last,
        waiting=ledger.trouble.waited_for,
        stopping=ledger.gauges.stopping(),
    )
