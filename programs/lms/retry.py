"""When failed calls are retried, and how fast calls are sent to a server that refuses some of them.

At first the rate is not limited. If many calls are refused (429), calls are sent one by one, about as fast as the server
accepted them. From then on the rate drops a step while calls are refused and grows while they are not, so that it stays
just below the server's limit (compare Chiu and Jain, "Analysis of the increase and decrease algorithms for congestion
avoidance", 1989). If slowing down does not help, because the server refuses at random, the limit is lifted for a while.
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

Result = TypeVar("Result")
OnRetry = Callable[[TransientError, float], None]
ReleaseWhile = Callable[[Awaitable[Any]], Awaitable[object]]
"""Waits for something without holding the call's permit (`asyncio.ensure_future` if there are no permits). Raises
RunStopped if no new try may start."""

EMPTY_TRIES = 3
WARN_AT_FAILURE = 3  # without `on_retry`, this failure of a call is logged as a warning, lest a script hang silently


@dataclass(frozen=True)
class RetryPolicy:
    """Waits between tries double from `first_wait` to `max_wait` seconds, with jitter, and are never shorter than the
    server's Retry-After. Gives up, raising the last error, rather than start a wait that would end more than `patience`
    seconds after the first failure, or after EMPTY_TRIES empty answers, since each is paid for. Only TransientError is
    retried. `on_retry` is called with each error that is followed by a retry, and with the seconds until then.

    The defaults are those of research code; commands have options for them (`programs.option_groups.ConnectionOptions`)."""

    first_wait: float = 1.0
    max_wait: float = 60.0
    patience: float = 900.0
    on_retry: OnRetry | None = None

    def delay_after(self, failures: int, retry_after: float | None = None) -> float:
        """Seconds to wait after the `failures`-th failure in a row (from 1). To spread out callers that failed together, it
        is 50 to 100% of the doubled wait, or 100 to 110% of `retry_after` if that is longer."""
        doubled = min(self.max_wait, self.first_wait * 2.0 ** min(failures - 1, 60))
        return max(doubled * random.uniform(0.5, 1.0), (retry_after or 0.0) * random.uniform(1.0, 1.1))

    async def call(
        self, once: Callable[[], Awaitable[Result]], release_while: ReleaseWhile = asyncio.ensure_future
    ) -> Result:
        """Awaits `once()`, with retries as the policy says, and returns its result. Raises its last error."""
        failures = empty = 0
        deadline = math.inf
        while True:
            try:
                return await once()
            except TransientError as error:
                failures += 1
                empty += isinstance(error, EmptyAnswer)
                now = time.monotonic()
                wait = self.delay_after(failures, error.retry_after)
                deadline = min(deadline, now + self.patience)
                if now + wait > deadline or (empty >= EMPTY_TRIES and isinstance(error, EmptyAnswer)):
                    raise
                warns = self.on_retry is None and failures == WARN_AT_FAILURE
                log.log(logging.WARNING if warns else logging.INFO, "retrying in %.1f s: %s", wait, error)
                if self.on_retry is not None:
                    self.on_retry(error, wait)
            await release_while(asyncio.sleep(wait))


WINDOW, MAX_WINDOW = 2.0, 10.0
MIN_CALLS = 20
"""The rate is set at the end of each window. A window lasts WINDOW seconds, or longer until MIN_CALLS calls are sent in
it; if none is refused, MAX_WINDOW seconds are enough."""

LIMIT_SHARE, STEP_SHARE = 0.25, 0.03
"""Shares of refused calls in a window. Above LIMIT_SHARE, the rate is limited to that of the accepted calls. Above
STEP_SHARE, an existing limit drops a step."""

STEP_FACTOR = 0.95
GROWTH, MAX_GROWTH = 0.01, 0.25
"""A step multiplies the rate by STEP_FACTOR. After it, the rate grows per second by GROWTH of itself in the first window,
by twice that in the second, and so on, up to MAX_GROWTH."""

MIN_RATE = 0.05  # calls per second; some calls must be sent to find the server's limit again
MAX_SLEEP = 1.0  # seconds after which a waiting call checks the rate again

MAX_SLOW_WINDOWS, UNLIMITED_SECONDS = 6, 300.0
"""When the windows with too many refusals outnumber the others by more than MAX_SLOW_WINDOWS, the limit is lifted for
UNLIMITED_SECONDS."""


class Pacer:
    """Limits the rate of the calls to one server from one event loop. `rate` is in calls per second; None: no limit. Calls
    in flight count as accepted, since refusals come at once and everything else comes later."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate: float | None = None
        self._clock, self._sending = clock, asyncio.Lock()
        self._last_sent = self._unlimited_until = -math.inf
        self._window_start: float | None = None
        self._sent = self._refused = self._slow_windows = self._clean_windows = 0

    async def wait_to_send(self) -> None:
        """Returns when the next call may be sent, and counts it. First come, first served."""
        async with self._sending:
            while self.rate is not None and (wait := self._last_sent + 1.0 / self.rate - self._clock()) > 0:
                await asyncio.sleep(min(wait, MAX_SLEEP))
            now = self._clock()
            # Make up for delays of up to MAX_SLEEP, so that the average rate is kept.
            self._last_sent = now if self.rate is None else max(self._last_sent + 1.0 / self.rate, now - MAX_SLEEP)
        self._window_start = now if self._window_start is None else self._window_start
        self._sent += 1

    def record_end(self, *, refused: bool) -> None:
        """Counts the end of a call, which was `refused` with 429 or ended in any other way. Sets the rate at the end of a
        window."""
        now = self._clock()
        self._refused += refused
        seconds = now - (now if self._window_start is None else self._window_start)
        if seconds < WINDOW or (self._sent < MIN_CALLS and (self._refused or seconds < MAX_WINDOW)):
            return
        share = min(1.0, self._refused / max(1, self._sent))
        accepted = max(0, self._sent - self._refused) / seconds
        self._window_start = now
        self._sent = self._refused = 0
        if share <= (LIMIT_SHARE if self.rate is None else STEP_SHARE):
            self._slow_windows = max(0, self._slow_windows - 1)
            self._clean_windows += 1
            if self.rate is not None:
                self.rate *= 1 + min(MAX_GROWTH, GROWTH * self._clean_windows) * seconds
        elif now >= self._unlimited_until and accepted:
            # If all calls were refused, the rate is not the reason, and the callers' own waits grow.
            self._slow_windows += 1
            self._clean_windows = 0
            if self._slow_windows > MAX_SLOW_WINDOWS:
                self.rate = None
                self._slow_windows = 0
                self._unlimited_until = now + UNLIMITED_SECONDS
            elif self.rate is not None:
                self.rate = max(MIN_RATE, min(accepted, self.rate * STEP_FACTOR))
            elif self._slow_windows > 1:
                # A single window may be chance.
                self.rate = max(MIN_RATE, accepted)
