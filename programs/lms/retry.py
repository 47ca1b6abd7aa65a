"""When a failed call is tried again: one policy for sync and async engines."""

from __future__ import annotations

import random

from pydantic import BaseModel, ConfigDict, Field
from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception_type, stop_after_delay

from programs.errors import TransientError


class RetryPolicy(BaseModel):
    """Waits double from `first_wait` to `longest_wait` seconds, with jitter, and are never shorter than the server's
    Retry-After. No attempt starts once `patience` seconds have passed since the first; its error is raised then.
    Only TransientError is tried again; every other error passes at once.
    """

    model_config = ConfigDict(frozen=True)

    first_wait: float = Field(1.0, ge=0)
    longest_wait: float = Field(60.0, ge=0)
    patience: float = Field(900.0, ge=0)

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

    def _wait_of(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return self.wait(state.attempt_number, error.retry_after if isinstance(error, TransientError) else None)

    def retrying(self) -> Retrying:
        """For one sync call; must not be shared between calls that run at the same time."""
        return Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=self._wait_of,
            stop=stop_after_delay(self.patience),
            reraise=True,
        )

    def aretrying(self) -> AsyncRetrying:
        """For one async call; must not be shared between calls that run at the same time."""
        return AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            wait=self._wait_of,
            stop=stop_after_delay(self.patience),
            reraise=True,
        )
