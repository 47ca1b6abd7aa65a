"""When a failed call is tried again, and how fast a server that refuses calls is sent more.

Calls to a server that refuses none leave as they come. From a refusal (429) on there is a gap between them, which grows at
refusals and shrinks at other ends, by shares of itself, and so hovers about the limit (Chiu and Jain, "Analysis of the
increase and decrease algorithms for congestion avoidance", 1989).
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from programs.errors import TransientError
from programs.lms.failures import EmptyAnswer
from programs.lms.shared import Shared

log = logging.getLogger("synthreasoner")

Answer = TypeVar("Answer")
Listener = Callable[[TransientError, float], None]
Aside = Callable[[Awaitable[Any]], Awaitable[object]]
"""How a call waits: for this, while others may have its place (`asyncio.ensure_future`: nobody gives out places). Raises
RunStopped where no new try may start."""

EMPTY_TRIES = 3

TOLD_AT = 3
"""The failure of a call at which a warning says so where nobody listens: research code would wait in silence."""


@dataclass(frozen=True)
class RetryPolicy(Shared):
    """Waits double from `first_wait` to `longest_wait` seconds, with jitter, and are never shorter than the server's
    Retry-After. A wait that would end later than `patience` seconds after the first failure is not begun: the error before
    it is raised. Only TransientError is tried again, an empty answer EMPTY_TRIES times in all, since each is paid for.
    `told` hears of each error that is followed by another try, and of the seconds until then.
    """

    first_wait: float = 1.0
    longest_wait: float = 60.0
    patience: float = 900.0
    told: Listener | None = None

    def wait(self, failures: int, retry_after: float | None = None) -> float:
        """Seconds to wait after the `failures`-th failure in a row (from 1).

        The jitter spreads callers that failed together: half to all of the doubled wait, or up to a tenth on top of
        what the server asked for.
        """
        doubled = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 60))
        wait = doubled * random.uniform(0.5, 1.0)
        if retry_after is not None and retry_after >= wait:
            return retry_after + random.uniform(0, 0.1 * retry_after)
        return wait

    async def call(self, once: Callable[[], Awaitable[Answer]], aside: Aside = asyncio.ensure_future) -> Answer:
        """What `once` gives, tried again as long as the policy says. Raises its last error."""
        failures, empty, until = 0, 0, math.inf
        while True:
            try:
                return await once()
            except TransientError as error:
                failures, empty = failures + 1, empty + isinstance(error, EmptyAnswer)
                now, wait = time.monotonic(), self.wait(failures, error.retry_after)
                until = min(until, now + self.patience)
                if now + wait > until or (empty >= EMPTY_TRIES and isinstance(error, EmptyAnswer)):
                    raise
                loud = self.told is None and failures == TOLD_AT
                log.log(logging.WARNING if loud else logging.INFO, "tried again in %.1f s: %s", wait, error)
                if self.told is not None:
                    self.told(error, wait)
            await aside(asyncio.sleep(wait))


GROWTH, SHRINKING = 1.1, 0.99
"""What is left of the gap after a refusal that counts, and after a call that was not refused."""

HELD = 0.1
"""Seconds at least from one refusal that counts to the next: the calls that were under way meet the same."""

SHORTEST_GAP, LONGEST_GAP = 0.005, 1.0
"""Seconds. Below the shortest there is no gap; nor is there one where even the longest does not end the refusals, as they
come whatever we send: there the callers' own waits have to do."""

LONGEST_NAP = 1.0
"""Seconds after which a waiting call looks at the time again."""


class Pacer:
    """The pace of the calls to one server on one event loop: `gap` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.gap = 0.0
        self._clock = clock
        self._turns = asyncio.Lock()
        self._next = self._held_until = -math.inf

    async def turn(self) -> None:
        """Returns when the next call may be sent. First come, first served."""
        async with self._turns:
            while (wait := self._next - self._clock()) > 0:
                await asyncio.sleep(min(wait, LONGEST_NAP))
            self._next = max(self._next, self._clock()) + self.gap

    def heard(self, *, refused: bool) -> None:
        """A call was refused for the sake of the rate (429), or ended in another way, well or not."""
        now = self._clock()
        if not refused:
            self.gap = self.gap * SHRINKING if self.gap > SHORTEST_GAP else 0.0
        elif now >= self._held_until:
            longer = max(GROWTH * self.gap, 2 * SHORTEST_GAP)
            self.gap = longer if longer <= LONGEST_GAP else 0.0
            self._held_until = now + max(HELD, 2 * self.gap)
