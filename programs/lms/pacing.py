"""The pace at which a server that refuses calls is sent more: additive increase, multiplicative decrease.

Without refusals there is no pace. When many calls are refused (429), calls leave one by one, about as fast as they
were answered; the rate goes down a step while calls are refused and grows a little while they are not (Chiu and Jain,
"Analysis of the increase and decrease algorithms for congestion avoidance", 1989). It hovers just below the limit.

A server may also refuse at random, whatever we send. Then a slower pace brings no relief; that is noticed, and the pace
is given up for a while.
"""

import asyncio
import time
from collections.abc import Callable

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
