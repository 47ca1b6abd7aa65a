"""When a failed call is tried again: one policy for every engine."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from tenacity import AsyncRetrying, RetryCallState, stop_after_delay

from programs.errors import TransientError
from programs.lms.faults import EmptyAnswer

log = logging.getLogger("synthreasoner")

Answer = TypeVar("Answer")

EMPTY_TRIES = 3

Listener = Callable[[TransientError, float], None]


def nobody(_error: TransientError, _seconds: float) -> None:
    """Listens to nothing."""


def _worth_trying() -> Callable[[RetryCallState], bool]:
    """Whether another try is worth it, for the tries of one call."""
    empty = 0

    def worth_trying(state: RetryCallState) -> bool:
        nonlocal empty
        error = state.outcome.exception() if state.outcome else None
        empty += isinstance(error, EmptyAnswer)
        return isinstance(error, TransientError) and not (isinstance(error, EmptyAnswer) and empty >= EMPTY_TRIES)

    return worth_trying


class RetryPolicy(BaseModel):
    """Waits double from `first_wait` to `longest_wait` seconds, with jitter, and are never shorter than the server's
    Retry-After. No attempt starts once `patience` seconds have passed since the first; its error is raised then.
    Only TransientError is tried again, an empty answer no more than EMPTY_TRIES times in all, since each is paid for; every
    other error passes at once. `told` hears of each error that is followed by
    another attempt, and of the seconds until then.
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

    def _wait_of(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wait = self.wait(state.attempt_number, error.retry_after if isinstance(error, TransientError) else None)
        log.info("tried again in %.1f s: %s", wait, error)
        return wait

    async def call(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `attempt` gives, tried again as long as the policy says. Raises its last error."""
        started = time.monotonic()
        try:
            return await attempt()
        except TransientError as error:
            failed = [error]

        async def again() -> Answer:
            if failed:
                raise failed.pop()
            return await attempt()

        return await AsyncRetrying(**self._rules(started))(again)

    # The first attempt, which most calls need alone, runs outside of tenacity: building its state costs more than the
    # rest of a call does here. Its failure is then handed over as the first of the retries.
    def _rules(self, started: float) -> dict[str, Any]:
        return {
            "retry": _worth_trying(),
            "wait": self._wait_of,
            "stop": stop_after_delay(max(0.0, self.patience - (time.monotonic() - started))),
            "before_sleep": self._tell,
            "reraise": True,
        }

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TransientError) and state.next_action is not None:
            self.told(error, state.next_action.sleep)
