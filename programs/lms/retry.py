"""When a failed call is tried again: one policy for every engine."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from itertools import count
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
        began, empty = time.monotonic(), 0
        for failures in count(1):
            try:
                return await attempt()
            except TransientError as error:
                wait = self.wait(failures, error.retry_after)
                empty += isinstance(error, EmptyAnswer)
                given_up = isinstance(error, EmptyAnswer) and empty >= EMPTY_TRIES
                if given_up or time.monotonic() + wait - began > self.patience:
                    raise
                log.info("tried again in %.1f s: %s", wait, error)
                self.told(error, wait)
            await asyncio.sleep(wait)
        raise AssertionError("unreachable")
