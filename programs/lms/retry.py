"""When a failed call is tried again, and how fast a server that refuses calls is sent more.

The pace is set by additive increase and multiplicative decrease (Chiu and Jain, "Analysis of the increase and decrease
algorithms for congestion avoidance", 1989). Without refusals there is none. When many calls are refused (429), calls leave
one by one, about as fast as they were answered; the rate goes down a step while calls are refused and grows a little while
they are not. It hovers just below the limit. A server may also refuse at random, whatever we send: that a slower pace
brings no relief is noticed, and the pace is given up for a while.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from programs.errors import TransientError
from programs.lms.failures import EmptyAnswer

log = logging.getLogger("synthreasoner")

Answer = TypeVar("Answer")
Listener = Callable[[TransientError, float], None]

EMPTY_TRIES = 3


def nobody(_error: TransientError, _seconds: float) -> None:
    """Listens to nothing."""


class RetryPolicy(BaseModel):
    """Waits double from `first_wait` to `longest_wait` seconds, with jitter, and are never shorter than the server's
    Retry-After. No attempt starts later than `patience` seconds after the first; an error before a wait that would last
    longer is raised at once. Only TransientError is tried again, an empty answer EMPTY_TRIES times in all, since each is
    paid for. `told` hears of each error that is followed by another attempt, and of the seconds until then.
    """

    model_config = ConfigDict(frozen=True)

    first_wait: float = Field(1.0, ge=0)
    longest_wait: float = Field(60.0, ge=0)
    patience: float = Field(900.0, ge=0)
    told: SkipValidation[Listener] = Field(nobody, exclude=True, repr=False)

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

    async def call(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `attempt` gives, tried again as long as the policy says. Raises its last error."""
        began, failures, empty = time.monotonic(), 0, 0
        while True:
            try:
                return await attempt()
            except TransientError as error:
                failures, empty = failures + 1, empty + isinstance(error, EmptyAnswer)
                wait = self.wait(failures, error.retry_after)
                given_up = isinstance(error, EmptyAnswer) and empty >= EMPTY_TRIES
                if given_up or time.monotonic() + wait - began > self.patience:
                    raise
                log.info("tried again in %.1f s: %s", wait, error)
                self.told(error, wait)
            await asyncio.sleep(wait)


WINDOW = 2.0
FEWEST = 20
"""A window counts what became of calls, until it has lasted for so many seconds and seen so many of them."""

FLOOD, NOTICED = 0.15, 0.03
"""Shares of refused calls. From the first on, calls go no faster than they were answered; from the second on, a pace
that is kept already goes down a step."""

STEP_BACK = 0.95
GROWTH = 0.01
"""What a step leaves of the rate, and by which share of itself it grows in a second without refusals."""

LOWEST = 0.05
"""Calls a second that are always let through, so that the limit is found again."""

HOPELESS = 6
TRUCE = 120.0
"""After so many windows in a row in which slowing down brought no relief, the pace is given up for so many seconds."""


class Pacer:
    """The pace of the calls to one server on one event loop. `rate` is in calls a second; None: as fast as they come."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate: float | None = None
        self._clock = clock
        self._turns = asyncio.Lock()
        self._next = 0.0
        self._began: float | None = None
        self._calls = self._refused = 0
        self._slowed = 0
        self._truce_until = 0.0

    async def turn(self) -> None:
        """Returns when the next call may be sent. First come, first served."""
        if self.rate is not None:
            async with self._turns:
                now = self._clock()
                if self._next > now:
                    await asyncio.sleep(self._next - now)
                if self.rate is not None:
                    self._next = max(self._next, now) + 1.0 / self.rate

    def heard(self, *, refused: bool) -> None:
        """A call was refused for the sake of the rate (429), or ended in another way. Sets the rate anew at the end of a
        window, by what happened in it."""
        now = self._clock()
        self._calls += 1
        self._refused += refused
        self._began = now if self._began is None else self._began
        seconds = now - self._began
        if seconds < WINDOW or self._calls < FEWEST:
            return
        share, answers = self._refused / self._calls, (self._calls - self._refused) / seconds
        self._began, self._calls, self._refused = now, 0, 0
        if share <= NOTICED or (self.rate is None and share <= FLOOD):
            self._slowed = 0
            self.rate = None if self.rate is None else self.rate * (1 + GROWTH * seconds)
        elif now >= self._truce_until:
            self._slow_down(share, answers, now)

    def _slow_down(self, share: float, answers: float, now: float) -> None:
        self._slowed += 1
        if self._slowed > HOPELESS:
            self.rate, self._slowed, self._truce_until = None, 0, now + TRUCE
        elif self.rate is None:
            # Answers to what was sent before the first refusal are among these.
            self.rate = max(LOWEST, answers * max(0.5, 1 - share))
        else:
            self.rate = max(LOWEST, max(answers, self.rate / 2) if share > FLOOD else self.rate * STEP_BACK)
