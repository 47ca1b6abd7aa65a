"""When a failed call is tried again, and how fast a server that refuses calls is sent more.

The pace is set by additive increase and multiplicative decrease (Chiu and Jain, "Analysis of the increase and decrease
algorithms for congestion avoidance", 1989). Without refusals there is none. When many calls are refused (429), calls leave
one by one, about as fast as they were answered; the rate goes down a step while calls are refused and grows a little while
they are not. It hovers just below the limit. A server may also refuse at random, whatever we send: that a slower pace
brings no relief is noticed, and the pace is given up for a while.
"""

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

log = logging.getLogger("synthreasoner")

Answer = TypeVar("Answer")
OnRetry = Callable[[TransientError, float], None]
Aside = Callable[[Awaitable[Any]], Awaitable[object]]
"""How a call waits: for this, while others may have its place (`asyncio.ensure_future`: nobody gives out places). Raises
RunStopped where no new try may start."""

EMPTY_TRIES = 3
WARNED_AT = 3  # the failure of a call that is told of where nobody listens: research code would wait in silence


@dataclass(frozen=True)
class RetryPolicy:
    """Waits double from `first_wait` to `longest_wait` seconds, with jitter, and are never shorter than the server's
    Retry-After. A wait that would end later than `patience` seconds after the first failure is not begun: the error before
    it is raised. Only TransientError is tried again, an empty answer EMPTY_TRIES times in all, since each is paid for.
    `on_retry` is told of each error that is followed by another try, and of the seconds until then."""

    first_wait: float = 1.0
    longest_wait: float = 60.0
    patience: float = 900.0
    on_retry: OnRetry | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "RetryPolicy":
        """Itself: optimizers copy whole programs, and `on_retry` belongs to a run."""
        return self

    def wait(self, failures: int, retry_after: float | None = None) -> float:
        """Seconds to wait after the `failures`-th failure in a row (from 1), spread over callers that failed together: half
        to all of the doubled wait, or up to a tenth on top of what the server asked for."""
        doubled = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 60))
        return max(doubled * random.uniform(0.5, 1.0), (retry_after or 0.0) * random.uniform(1.0, 1.1))

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
                loud = self.on_retry is None and failures == WARNED_AT
                log.log(logging.WARNING if loud else logging.INFO, "tried again in %.1f s: %s", wait, error)
                if self.on_retry is not None:
                    self.on_retry(error, wait)
            await aside(asyncio.sleep(wait))


WINDOW, LONGEST_WINDOW = 2.0, 10.0
FEWEST = 20
"""A window counts what became of the calls sent in it, until it has lasted for so many seconds and seen so many of them;
where none was refused, the longest is enough."""

FLOOD, NOTICED = 0.25, 0.03
"""Shares of refused calls. From the first on, calls go no faster than they were taken; from the second on, a pace that is
kept already goes down a step."""

STEP_BACK = 0.95
GROWTH, FASTEST_GROWTH = 0.01, 0.25
"""What a step leaves of the rate, and by which share of itself it grows in a second: once, twice, three times as fast in
each further window without refusals."""

LOWEST = 0.05  # calls a second that are always let through, so that the limit is found again
LONGEST_NAP = 1.0  # seconds after which a waiting call looks at the rate again

HOPELESS, TRUCE = 6, 300.0
"""The pace is given up for so many seconds after so many more windows in which it went down than in which it went up."""


class Pacer:
    """The pace of the calls to one server on one event loop. `rate` is in calls a second; None: as fast as they come. What
    is under way counts as taken: refusals come at once, answers and other failures late."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate: float | None = None
        self._clock, self._sending = clock, asyncio.Lock()
        self._last = self._truce_until = -math.inf
        self._began: float | None = None
        self._sent = self._refused = self._slowed = self._clean = 0

    async def wait_to_send(self) -> None:
        """Returns when the next call may be sent, which is then counted. First come, first served."""
        async with self._sending:
            while self.rate is not None and (wait := self._last + 1.0 / self.rate - self._clock()) > 0:
                await asyncio.sleep(min(wait, LONGEST_NAP))
            now = self._clock()
            # What came a little late is made up for.
            self._last = now if self.rate is None else max(self._last + 1.0 / self.rate, now - LONGEST_NAP)
        self._began = now if self._began is None else self._began
        self._sent += 1

    def heard(self, *, refused: bool) -> None:
        """A call was refused for the sake of the rate (429), or ended in another way, well or not. Sets the rate anew at
        the end of a window, by what happened in it."""
        now = self._clock()
        self._refused += refused
        seconds = now - (now if self._began is None else self._began)
        if seconds < WINDOW or (self._sent < FEWEST and (self._refused or seconds < LONGEST_WINDOW)):
            return
        share, taken = min(1.0, self._refused / max(1, self._sent)), max(0, self._sent - self._refused) / seconds
        self._began, self._sent, self._refused = now, 0, 0
        if share <= (FLOOD if self.rate is None else NOTICED):
            self._slowed, self._clean = max(0, self._slowed - 1), self._clean + 1
            if self.rate is not None:
                self.rate *= 1 + min(FASTEST_GROWTH, GROWTH * self._clean) * seconds
        elif now >= self._truce_until and taken:
            # Where all are refused it is not for the pace, and callers' own waits grow.
            self._slowed, self._clean = self._slowed + 1, 0
            if self._slowed > HOPELESS:
                self.rate, self._slowed, self._truce_until = None, 0, now + TRUCE
            elif self.rate is not None:
                self.rate = max(LOWEST, min(taken, self.rate * STEP_BACK))
            elif self._slowed > 1:
                # Once may be chance.
                self.rate = max(LOWEST, taken)
