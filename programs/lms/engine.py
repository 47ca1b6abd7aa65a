"""The engine that DSPy awaits; what it says is in `exchange`.

It speaks aiohttp, whose pool serves hundreds of calls at once for a third of the CPU time that httpx takes over the same
sockets, and a tenth of the wall time that its own pool takes.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping
from typing import Any

import aiohttp
import httpx
import orjson
from dspy.lm15 import Request, Response

from programs.errors import RateLimited
from programs.lms.backend import HttpCall, ModelName, Reply
from programs.lms.exchange import NETWORK_ERRORS, Exchange, Outcome
from programs.lms.faults import NotAnAnswer
from programs.lms.pacing import Pacer
from programs.lms.retry import RetryPolicy

LARGEST_REPLY = 64 * 1024 * 1024
"""Bytes; what is larger is no answer, and would fill the memory."""

CONNECT_TIMEOUT = 5.0
KEEP_ALIVE = 30.0

_TOO_LARGE = f"the reply is larger than {LARGEST_REPLY} bytes"


class Engine:
    """Answers requests on the running event loop, any number at once; one client a loop, which `aclose` on that
    loop closes (`programs.lms.resolve.Model` does).

    A copy of an engine is the engine itself: optimizers copy whole programs.
    """

    def __init__(self, exchange: Exchange, *, retry: RetryPolicy, timeout: float = 120.0) -> None:
        self._exchange = exchange
        self._retry = retry
        self._deadline = timeout
        self._started = False
        self.supported_params = exchange.backend.supported_params
        self._sessions: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = (
            weakref.WeakKeyDictionary()
        )
        self._pacers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = weakref.WeakKeyDictionary()

    def __deepcopy__(self, memo: dict[int, Any]) -> Engine:
        return self

    @property
    def endpoint(self) -> str:
        """The server's address, without credentials."""
        return self._exchange.backend.endpoint

    @property
    def supports_response_schema(self) -> bool:
        """Read by DSPy before each call; False once the server has refused schemas."""
        return self._exchange.enforces_schemas

    @property
    def servers(self) -> tuple[Engine, ...]:
        """The engine of each server that calls go to: this one."""
        return (self,)

    async def complete(self, request: Request) -> Response:
        """The answer to `request`, tried again as the retry policy says. Raises the BackendError that remains."""
        return await self._retry.call(lambda: self.attempt(request))

    async def attempt(self, request: Request) -> Response:
        """The answer to `request`, without a retry. Raises a BackendError."""
        await self._start()
        pacer = self._pacers.setdefault(asyncio.get_running_loop(), Pacer())
        await pacer.turn()
        try:
            response = await self._exchange.answer(request, self._send)
        except RateLimited:
            pacer.refused()
            raise
        pacer.answered()
        return response

    async def list_models(self) -> list[ModelName]:
        """The models that the server offers, asked once, without a retry. Raises a BackendError."""
        await self._start()
        outcome = await self._send(self._exchange.backend.models_call())
        if isinstance(outcome, Reply):
            return self._exchange.backend.read_models(outcome)
        raise outcome

    async def aclose(self) -> None:
        """Close the running loop's connections. A later call opens new ones."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def _start(self) -> None:
        if not self._started:
            await asyncio.to_thread(self._exchange.backend.start)
            self._started = True

    async def _send(self, call: HttpCall) -> Outcome:
        try:
            # Not aiohttp's own limit of the whole, which now and then swallows a cancellation; and one of reading is never
            # reached where a server sends a byte now and then.
            return await asyncio.wait_for(self._answer_to(call), self._deadline)
        except NETWORK_ERRORS as error:
            return self._exchange.failure(error)

    async def _answer_to(self, call: HttpCall) -> Outcome:
        request = self._open_session().request
        async with request(
            call.method, call.url, headers=_headers(call), data=_content(call), allow_redirects=False
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > LARGEST_REPLY:
                    response.close()
                    return NotAnAnswer(_TOO_LARGE)
            return _reply(response.status, response.headers, bytes(body))

    def _open_session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            # Reading the certificates takes longer than the first call to a server next door.
            secure = self._exchange.backend.endpoint.startswith("https:")
            ssl = httpx.create_ssl_context() if secure else True
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE, ssl=ssl),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(CONNECT_TIMEOUT, self._deadline)),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=not is_loopback(self._exchange.backend.endpoint),
            )
            weakref.finalize(self, _close_on, loop, session)
        return session


def _close_on(loop: asyncio.AbstractEventLoop, session: aiohttp.ClientSession) -> None:
    """Closes what nobody closed, as nobody has to who never saw the background loop."""
    if loop.is_running():
        asyncio.run_coroutine_threadsafe(session.close(), loop)


def _headers(call: HttpCall) -> dict[str, str]:
    typed = {} if call.body is None else {"Content-Type": "application/json"}
    return {"Accept": "application/json", **call.headers, **typed}


def _content(call: HttpCall) -> bytes | None:
    return None if call.body is None else orjson.dumps(dict(call.body))


def is_loopback(url: str) -> bool:
    """Whether `url` is this machine, which no proxy can reach."""
    return httpx.URL(url).host in ("localhost", "127.0.0.1", "::1")


def _reply(status: int, headers: Mapping[str, str], content: bytes) -> Reply:
    lowered = {name.lower(): value for name, value in headers.items()}
    return Reply(status, lowered, content.decode("utf-8", "replace"))
