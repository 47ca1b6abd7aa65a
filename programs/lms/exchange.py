"""What an engine says to a server, without saying how it is sent."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import aiohttp
from dspy.lm15 import Request, Response

from programs.errors import BackendError, FatalError, UnknownModel
from programs.lms.backend import Backend, HttpCall, ModelName, Reply, with_nearest
from programs.lms.faults import NotAnAnswer, NotConnected, SchemaRefused, TimedOut
from programs.lms.meter import current_meter
from programs.lms.redaction import excerpt
from programs.lms.structured import Ladder, Rung
from programs.lms.wire import usage_in

Outcome = Reply | BackendError
Send = Callable[[HttpCall], Awaitable[Outcome]]
"""Sends a call; gives what came back, or the error that stands for it."""

NETWORK_ERRORS = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
_NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class Whims:
    """Refusals for good by what stands before a server that has answered: proxies send a page with 401, 403, 404 or "log
    in" now and then and mean nothing by it. Such pages are excused, as failures to be tried again, until they have gone on
    for `lasting` seconds without one answer. What says in JSON that it refuses means it. Safe to share between threads."""

    def __init__(self, lasting: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._lasting, self._clock = lasting, clock
        self._known = False
        self._since: float | None = None
        self._lock = threading.Lock()

    def answered(self) -> None:
        """The server gave an answer."""
        with self._lock:
            self._known, self._since = True, None

    def excuses(self, outcome: Outcome) -> bool:
        """Whether a refusal that has just come may be a whim."""
        if not isinstance(outcome, Reply) or outcome.status < 300 or outcome.text.lstrip()[:1] in ("{", "["):
            return False
        with self._lock:
            now = self._clock()
            self._since = now if self._since is None else self._since
            return self._known and now - self._since < self._lasting


class Exchange:
    """The talk about one backend's answers. What it learns (what structure the server takes, which models it has)
    holds for every engine that shares it; safe to share between threads."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._whims = Whims()
        self._ladder = Ladder()
        self._models: list[ModelName] | None = None

    @property
    def enforces_schemas(self) -> bool:
        """Whether the server holds replies to a schema, as far as is known; prompts carry the schema where not."""
        return self.backend.supports_response_schema and self._ladder.enforces_schemas

    async def answer(self, request: Request, send: Send) -> Response:
        """One attempt at an answer.

        A server that refuses the structure asked for is asked again for less, within the same attempt.
        Counts every call, and raises whatever makes the answer unusable.
        """
        rung = top = self._ladder.rung
        while True:
            call = self.backend.post(request, rung)
            asked_at = time.monotonic()
            outcome = await send(call)
            meter = current_meter()
            meter.add_attempt(time.monotonic() - asked_at)
            try:
                response = self._read(outcome)
            except BackendError as error:
                meter.add_fault(error)
                if isinstance(outcome, Reply):
                    meter.add_usage(usage_in(outcome.text))
                if isinstance(error, FatalError) and self._whims.excuses(outcome):
                    raise NotAnAnswer(str(error)) from error
                if isinstance(error, UnknownModel):
                    raise (await self._with_nearest(error, send)) from None
                if not isinstance(error, SchemaRefused) or call.rung is Rung.NONE:
                    raise
                rung = call.rung.below()
                continue
            if rung is not top and _has_schema(request):
                self._ladder.settle(rung)
            meter.add_answer(response)
            self._whims.answered()
            return response

    def _read(self, outcome: Outcome) -> Response:
        if isinstance(outcome, BackendError):
            raise outcome
        return self.backend.read(outcome)

    async def _with_nearest(self, error: UnknownModel, send: Send) -> UnknownModel:
        if self._models is None:
            outcome = await send(self.backend.models_call())
            try:
                self._models = [] if isinstance(outcome, BackendError) else self.backend.read_models(outcome)
            except BackendError:
                self._models = []
        return with_nearest(error, self.backend.model, self._models)

    def failure(self, error: BaseException) -> BackendError:
        """The TransientError that a broken or silent connection stands for. Holds no address and no secret."""
        where = self.backend.endpoint
        if isinstance(error, _NO_CONNECTION):
            return NotConnected(f"{where} is not reachable: {self.backend.unreachable}")
        if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
            return TimedOut(f"{where} gave no whole reply in time")
        return NotConnected(f"the connection to {where} broke: {excerpt(str(error), self.backend.secrets)}")


def _has_schema(request: Request) -> bool:
    """Whether a request brings a schema: what became of one that brings none says nothing about schemas."""
    return (request.config.response_format or {}).get("type") == "json_schema"
