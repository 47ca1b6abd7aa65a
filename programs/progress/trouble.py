"""What goes wrong between us and the servers, as it happens: a call that is tried again is in no account before it ends."""

import time
from collections import Counter
from collections.abc import Callable, Mapping

from programs.errors import TransientError
from programs.lms.faults import kind

FRESH = 30.0
"""Seconds for which a refusal of the rate is told after the last one."""

RATE_LIMITED = "429"


class Trouble:
    """Failures that are followed by another try. `faults` counts them by kind; `last` is the newest, in one line."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.faults: Counter[str] = Counter()
        self.last: str | None = None
        self._clock = clock
        self._pauses: list[float] = []
        self._refused: float | None = None

    def pauses(self, error: TransientError, seconds: float) -> None:
        """A call failed, and is tried again after so many seconds."""
        now, name = self._clock(), kind(error)
        self.faults[name] += 1
        self.last = " ".join(str(error).split())
        self._pauses = [until for until in self._pauses if until > now]
        self._pauses.append(now + seconds)
        if name == RATE_LIMITED:
            self._refused = now

    def by_kind(self, accounted: Mapping[str, int]) -> Counter[str]:
        """The failures by kind; `accounted` are those of the calls that have ended, these included."""
        return Counter({name: max(self.faults[name], accounted.get(name, 0)) for name in {*self.faults, *accounted}})

    @property
    def waited_for(self) -> str | None:
        """What calls are waiting for, in words; None: nothing out of the ordinary."""
        now = self._clock()
        pauses = [until - now for until in self._pauses if until > now]
        limited = self._refused is not None and now - self._refused < FRESH
        if not pauses:
            return "rate limited: the server refuses calls, so they are sent more slowly" if limited else None
        why = "rate limited" if limited else "retrying"
        calls = "1 call waits" if len(pauses) == 1 else f"{len(pauses)} calls wait"
        return f"{why}: {calls} to be tried again, the next in {min(pauses):.0f} s"
