"""The pace at which a server that refuses calls is sent more: additive increase, multiplicative decrease.

Without a refusal there is no pace. The first one sets it to half of what was being sent; from then on calls leave one
by one at that rate, which grows a little with every answer and shrinks with every refusal (Chiu and Jain, "Analysis of
the increase and decrease algorithms for congestion avoidance", 1989). It so hovers just below what the server allows.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

WINDOW = 2.0
"""Seconds over which sending is measured, and within which several refusals count as one."""

GROWTH = 0.01
"""By which share of itself the rate grows in a second of answers."""

STEP_BACK, HALVING = 0.95, 0.5
"""What a refusal leaves of the rate: a step back near the limit, half where most calls are refused."""

LOWEST = 0.05
"""Calls a second that are always let through, so that the limit is found again."""


class Pacer:
    """The pace of the calls to one server on one event loop. `rate` is in calls a second; None: as fast as they come."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate: float | None = None
        self._clock = clock
        self._turns = asyncio.Lock()
        self._next = 0.0
        self._sent: deque[float] = deque()
        self._answers: deque[float] = deque()
        self._refusals: deque[float] = deque()
        self._decreased = -WINDOW

    async def turn(self) -> None:
        """Returns when the next call may be sent. First come, first served."""
        if self.rate is not None:
            async with self._turns:
                now = self._clock()
                if self._next > now:
                    await asyncio.sleep(self._next - now)
                self._next = max(self._next, now) + 1.0 / self.rate
        _note(self._sent, self._clock())

    def answered(self) -> None:
        """A call was not refused."""
        now = self._clock()
        _note(self._answers, now)
        # The rate grows by GROWTH of itself a second however many calls that is.
        if self.rate is not None and not self._refusals_since(now - WINDOW):
            self.rate += GROWTH

    def refused(self) -> None:
        """A call was refused for the sake of the rate (429)."""
        now = self._clock()
        _note(self._refusals, now)
        if now - self._decreased < WINDOW:
            return
        self._decreased = now
        refused = self._refusals_since(now - WINDOW)
        answered = sum(at > now - WINDOW for at in self._answers)
        share = HALVING if refused > answered else STEP_BACK
        current = self.rate if self.rate is not None else sum(at > now - WINDOW for at in self._sent) / WINDOW
        self.rate = max(LOWEST, current * share)

    def _refusals_since(self, since: float) -> int:
        return sum(at > since for at in self._refusals)


def _note(times: deque[float], now: float) -> None:
    times.append(now)
    while times and times[0] < now - WINDOW:
        times.popleft()
