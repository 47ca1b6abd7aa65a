"""The two engines that DSPy calls: one over blocking sockets, one over asyncio; what they say is in `exchange`.

The asynchronous one speaks aiohttp, whose pool serves hundreds of calls at once for a third of the CPU time that httpx
takes over the same sockets, and a tenth of the wall time that its own pool takes.
"""

from __future__ import annotations

import asyncio
import threading
import time
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


class _Engine:
    """What both engines hold. A copy of an engine is the engine itself: optimizers copy whole programs."""

    def __init__(self, exchange: Exchange, *, retry: RetryPolicy, timeout: float = 120.0) -> None:
        self._exchange = exchange
        self._retry = retry
        self._deadline = timeout
        self._started = False
        self.supported_params = exchange.backend.supported_params

    @property
    def endpoint(self) -> str:
        """The server's address, without credentials."""
        return self._exchange.backend.endpoint

    @property
    def supports_response_schema(self) -> bool:
        """Read by DSPy before each call; False once the server has refused schemas."""
        return self._exchange.enforces_schemas

    def __deepcopy__(self, memo: dict[int, Any]) -> _Engine:
        return self


def _headers(call: HttpCall) -> dict[str, str]:
    typed = {} if call.body is None else {"Content-Type": "application/json"}
    return {"Accept": "application/json", **call.headers, **typed}


def _content(call: HttpCall) -> bytes | None:
    return None if call.body is None else orjson.dumps(dict(call.body))


class SyncEngine(_Engine):
    """Answers requests in the calling thread; any number of threads may call at once. `close` it when done."""

    def __init__(self, exchange: Exchange, *, retry: RetryPolicy, timeout: float = 120.0) -> None:
        super().__init__(exchange, retry=retry, timeout=timeout)
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def complete(self, request: Request) -> Response:
        """The answer to `request`, tried again as the retry policy says. Raises the BackendError that remains."""
        return self._retry.call(lambda: self.attempt(request))

    def attempt(self, request: Request) -> Response:
        """The answer to `request`, without a retry. Raises a BackendError."""
        self._start()
        steps = self._exchange.steps(request)
        try:
            call = next(steps)
            while True:
                call = steps.send(self._send(call))
        except StopIteration as done:
            return done.value

    def list_models(self) -> list[ModelName]:
        """The models that the server offers, asked once, without a retry. Raises a BackendError."""
        self._start()
        outcome = self._send(self._exchange.backend.models_call())
        if isinstance(outcome, Reply):
            return self._exchange.backend.read_models(outcome)
        raise outcome

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _start(self) -> None:
        if not self._started:
            self._exchange.backend.start()
            self._started = True

    def _send(self, call: HttpCall) -> Outcome:
        client, deadline = self._open_client(), time.monotonic() + self._deadline
        try:
            request = client.build_request(call.method, call.url, headers=_headers(call), content=_content(call))
            response = client.send(request, stream=True)
            try:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > deadline:
                        raise TimeoutError
                    if len(body) > LARGEST_REPLY:
                        return NotAnAnswer(_TOO_LARGE)
            finally:
                response.close()
        except NETWORK_ERRORS as error:
            return self._exchange.failure(error)
        return _reply(response.status_code, response.headers, bytes(body))

    def _open_client(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE)
                timeout = httpx.Timeout(self._deadline, connect=min(CONNECT_TIMEOUT, self._deadline))
                self._client = httpx.Client(
                    timeout=timeout, limits=limits, trust_env=not is_loopback(self._exchange.backend.endpoint)
                )
            return self._client


class AsyncEngine(_Engine):
    """Answers requests on the running event loop, any number at once; one client a loop. `aclose` it on each loop."""

    def __init__(self, exchange: Exchange, *, retry: RetryPolicy, timeout: float = 120.0) -> None:
        super().__init__(exchange, retry=retry, timeout=timeout)
        self._sessions: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = (
            weakref.WeakKeyDictionary()
        )
        self._pacers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = weakref.WeakKeyDictionary()

    @property
    def servers(self) -> tuple[AsyncEngine, ...]:
        """The engine of each server that calls go to: this one."""
        return (self,)

    async def complete(self, request: Request) -> Response:
        """The answer to `request`, tried again as the retry policy says. Raises the BackendError that remains."""
        return await self._retry.acall(lambda: self.attempt(request))

    async def attempt(self, request: Request) -> Response:
        """The answer to `request`, without a retry. Raises a BackendError."""
        await self._start()
        pacer = self._pacers.setdefault(asyncio.get_running_loop(), Pacer())
        await pacer.turn()
        steps = self._exchange.steps(request)
        try:
            call = next(steps)
            while True:
                call = steps.send(await self._send(call))
        except StopIteration as done:
            pacer.answered()
            return done.value
        except RateLimited:
            pacer.refused()
            raise

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
        return session


def is_loopback(url: str) -> bool:
    """Whether `url` is this machine, which no proxy can reach."""
    return httpx.URL(url).host in ("localhost", "127.0.0.1", "::1")


def _reply(status: int, headers: Mapping[str, str], content: bytes) -> Reply:
    lowered = {name.lower(): value for name, value in headers.items()}
    return Reply(status, lowered, content.decode("utf-8", "replace"))
