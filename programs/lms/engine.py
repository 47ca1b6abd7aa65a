"""The two engines that DSPy calls: one over blocking sockets, one over asyncio; what they say is in `exchange`."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from typing import Any

import aiohttp
import httpx
import orjson
from dspy.lm15 import Request, Response
from httpx_aiohttp import AiohttpTransport

from programs.errors import RateLimited
from programs.lms.backend import HttpCall, ModelName, Reply
from programs.lms.exchange import NETWORK_ERRORS, Exchange, Outcome
from programs.lms.pacing import Pacer
from programs.lms.retry import RetryPolicy

CONNECT_TIMEOUT = 5.0
KEEP_ALIVE = 30.0


class _Engine:
    """What both engines hold. A copy of an engine is the engine itself: optimizers copy whole programs."""

    def __init__(self, exchange: Exchange, *, retry: RetryPolicy, timeout: float = 120.0) -> None:
        self._exchange = exchange
        self._retry = retry
        self._deadline = timeout
        self._timeout = httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout))
        self._started = False
        self.supported_params = exchange.backend.supported_params

    @property
    def supports_response_schema(self) -> bool:
        """Read by DSPy before each call; False once the server has refused schemas."""
        return self._exchange.enforces_schemas

    def __deepcopy__(self, memo: dict[int, Any]) -> _Engine:
        return self

    def _request(self, client: httpx.Client | httpx.AsyncClient, call: HttpCall) -> httpx.Request:
        headers = {"Accept": "application/json", **call.headers}
        if call.body is None:
            return client.build_request(call.method, call.url, headers=headers)
        headers["Content-Type"] = "application/json"
        return client.build_request(call.method, call.url, headers=headers, content=orjson.dumps(dict(call.body)))


class SyncEngine(_Engine):
    """Answers requests in the calling thread; any number of threads may call at once. `close` it when done."""

    def __init__(self, exchange: Exchange, *, retry: RetryPolicy, timeout: float = 120.0) -> None:
        super().__init__(exchange, retry=retry, timeout=timeout)
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def complete(self, request: Request) -> Response:
        """The answer to `request`, tried again as the retry policy says. Raises the BackendError that remains."""
        self._start()
        response: Response = self._retry.retrying()(self._attempt, request)
        return response

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

    def _attempt(self, request: Request) -> Response:
        steps = self._exchange.steps(request)
        try:
            call = next(steps)
            while True:
                call = steps.send(self._send(call))
        except StopIteration as done:
            return done.value

    def _send(self, call: HttpCall) -> Outcome:
        client, deadline = self._open_client(), time.monotonic() + self._deadline
        try:
            response = client.send(self._request(client, call), stream=True)
            try:
                chunks = []
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if time.monotonic() > deadline:
                        raise TimeoutError
            finally:
                response.close()
        except NETWORK_ERRORS as error:
            return self._exchange.failure(error)
        return _reply(response, b"".join(chunks))

    def _open_client(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                limits = httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE)
                self._client = httpx.Client(
                    timeout=self._timeout, limits=limits, trust_env=not is_loopback(self._exchange.backend.endpoint)
                )
            return self._client


class AsyncEngine(_Engine):
    """Answers requests on the running event loop, any number at once; one client a loop. `aclose` it on each loop."""

    def __init__(self, exchange: Exchange, *, retry: RetryPolicy, timeout: float = 120.0) -> None:
        super().__init__(exchange, retry=retry, timeout=timeout)
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            weakref.WeakKeyDictionary()
        )
        self._pacers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = weakref.WeakKeyDictionary()

    async def complete(self, request: Request) -> Response:
        """The answer to `request`, tried again as the retry policy says. Raises the BackendError that remains."""
        await self._start()
        response: Response = await self._retry.aretrying()(self._attempt, request)
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
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    async def _start(self) -> None:
        if not self._started:
            await asyncio.to_thread(self._exchange.backend.start)
            self._started = True

    async def _attempt(self, request: Request) -> Response:
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

    async def _send(self, call: HttpCall) -> Outcome:
        client = self._open_client()
        try:
            # A server that sends a byte now and then never trips the read timeout.
            response = await asyncio.wait_for(client.send(self._request(client, call)), self._deadline)
        except NETWORK_ERRORS as error:
            return self._exchange.failure(error)
        return _reply(response, response.content)

    def _open_client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            transport = AiohttpTransport(client=self._session)
            client = self._clients[loop] = httpx.AsyncClient(timeout=self._timeout, transport=transport)
        return client

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE, ssl=httpx.create_ssl_context())
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not is_loopback(self._exchange.backend.endpoint),
        )


def is_loopback(url: str) -> bool:
    """Whether `url` is this machine, which no proxy can reach."""
    return httpx.URL(url).host in ("localhost", "127.0.0.1", "::1")


def _reply(response: httpx.Response, content: bytes) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, content.decode("utf-8", "replace"))
