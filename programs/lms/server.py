"""One server: what is sent to it and comes back, its pace, and what was learnt of it.

It speaks aiohttp, whose pool serves hundreds of calls at once for a third of the CPU time that httpx takes over the same
sockets, and a tenth of the wall time that its own pool takes.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
import orjson
from dspy.lm15 import Request, Response, Usage

from programs.errors import BackendError, CallError, FatalError, RateLimited, UnknownModel
from programs.lms.failures import Forbidden, NotAnAnswer, NotConnected, TimedOut
from programs.lms.meter import current_meter
from programs.lms.openai_compatible import HttpReply, ModelName, OpenAICompatible, with_nearest
from programs.lms.retry import Aside, Pacer
from programs.lms.wire import FORMATS, usage_in
from programs.redaction import excerpt

LARGEST_REPLY = 4 * 1024 * 1024
"""Bytes; what is larger is no answer (a hundred thousand tokens have one megabyte), and hundreds at once would fill the
memory."""

CONNECT_TIMEOUT = 5.0
KEEP_ALIVE = 30.0

LOST_AFTER = 30
"""Seconds without a sign of life from the other machine, which its system gives however busy the server is, after which a
connection that waits for a reply is broken. One that has lost its power or its network says nothing, and a call would wait
for all of its time, as one still does whose prompt was on the way."""

EXCUSED = 60.0
"""Seconds for which a server that has answered may send pages that refuse, without one answer in between, before they are
meant."""

FORBIDDEN_AT_FIRST = 5
"""After so many 403 in a row a server that has never answered refuses the credentials, and not a text."""

log = logging.getLogger("synthreasoner")


class Server:
    """Asks one backend on the running event loop, any number of calls at once; one client a loop, which `aclose` on that
    loop closes. What it learns holds for all loops.

    A server that refuses a parameter is asked again without, within the same try, and never sent it again once it has
    answered so. A 403 in JSON, also one that comes with status 200, refuses one call, unless it is all that a server ever
    said. Refusals by what stands before a server that has answered are excused for a while: a page with 401, 403 or 404, as
    proxies send now and then, is a failure to be tried again.
    """

    def __init__(self, backend: OpenAICompatible, timeout: float = 120.0) -> None:
        self.backend = backend
        self._rules = backend.rules
        self._deadline = timeout
        self._known = self._answered = False
        self._refused = 0
        self._refusing_since: float | None = None
        self._models: list[ModelName] | None = None
        self._sessions = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession]()
        self._pacers = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer]()

    @property
    def endpoint(self) -> str:
        """The server's address, without credentials."""
        return self.backend.endpoint

    @property
    def supports_response_schema(self) -> bool:
        """Whether replies are held to a schema; False once the server has refused schemas."""
        return "json_schema" in self._rules.takes

    async def ask(self, request: Request, aside: Aside) -> Response:
        """The answer to `request`, without a retry, counted by the meter; waits `aside` for the server's pace. Raises a
        BackendError."""
        await self._start()
        pacer = self._pacers.setdefault(asyncio.get_running_loop(), Pacer())
        await (pacer.wait_to_send() if pacer.rate is None else aside(pacer.wait_to_send()))
        refused = False
        try:
            async with self.backend.slot(request, self._send) as slot:
                return await self._answer(request, slot)
        except RateLimited:
            refused = True
            raise
        finally:
            pacer.heard(refused=refused)

    async def list_models(self) -> list[ModelName]:
        """The models that the server offers, asked once, without a retry. Raises a BackendError."""
        await self._start()
        models = self.backend.read_models(await self._send(self.backend.models_path))
        self._known = self._known or any(self.backend.model in names for names in models)
        return models

    async def aclose(self) -> None:
        """Closes the running loop's connections. A later call opens new ones."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def _start(self) -> None:
        if not self.backend.running:
            await asyncio.to_thread(self.backend.start)

    async def _answer(self, request: Request, slot: Mapping[str, Any]) -> Response:
        rules, meter = self._rules, current_meter()
        while True:
            body, reply, began = {**self.backend.body(request, rules), **slot}, None, time.monotonic()
            try:
                try:
                    reply = await self._send(self.backend.chat_path, body)
                finally:
                    meter.add_request(time.monotonic() - began)
                response = self.backend.read(reply)
            except BackendError as error:
                meter.add_fault(error, usage_in(reply.text) if reply else Usage())
                fewer = rules.after(error, body)
                if fewer is None:
                    raise await self._meant(error, reply) from None
                rules = fewer
                continue
            meter.add_answer(response)
            self._known = self._answered = True
            self._refusing_since = None
            if refused := self._rules.takes - rules.takes:
                self._rules = self._rules.without(*refused)
                level = logging.INFO if refused <= FORMATS else logging.WARNING
                log.log(
                    level, "%s does not take %s, and is not sent it again", self.endpoint, ", ".join(sorted(refused))
                )
            return response

    async def _meant(self, error: BackendError, reply: HttpReply | None) -> BackendError:
        """What an error is in the light of what is known of the server."""
        if isinstance(error, FatalError) and reply is not None and reply.text.lstrip()[:1] not in ("{", "["):
            now = time.monotonic()
            self._refusing_since = now if self._refusing_since is None else self._refusing_since
            if self._known and reply.status >= 300 and now - self._refusing_since < EXCUSED:
                return NotAnAnswer(str(error))
        elif isinstance(error, Forbidden):
            self._refused += 1
            if self._answered or self._refused < FORBIDDEN_AT_FIRST:
                return CallError(str(error))
        if not isinstance(error, UnknownModel):
            return error
        if self._models is None:
            try:
                self._models = await self.list_models()
            except BackendError:
                self._models = []
        return with_nearest(error, self.backend.model, self._models)

    async def _send(self, path: str, body: Mapping[str, Any] | None = None) -> HttpReply:
        """What comes back for a body, or for no body. Raises the TransientError of a broken or silent connection."""
        try:
            # Not aiohttp's own limit of the whole, which now and then swallows a cancellation; and one of reading is never
            # reached where a server sends a byte now and then.
            return await asyncio.wait_for(self._exchange(path, body), self._deadline)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            if isinstance(error, aiohttp.ClientConnectorCertificateError):
                why = excerpt(getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error))
                raise NotConnected(
                    f"the certificate of {self.endpoint} is not trusted ({why}): SSL_CERT_FILE names a file of authorities"
                ) from None
            refused = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
            if refused and not isinstance(error, aiohttp.ClientSSLError):
                raise NotConnected(f"{self.endpoint} is not reachable: {self.backend.unreachable}") from None
            if isinstance(error, asyncio.TimeoutError | TimeoutError):
                raise TimedOut(f"{self.endpoint} gave no whole reply in time") from None
            said = excerpt(str(error), self.backend.secrets)
            raise NotConnected(f"the connection to {self.endpoint} broke: {said}") from None

    async def _exchange(self, path: str, body: Mapping[str, Any] | None) -> HttpReply:
        # What is unpacked has any size.
        kinds = {"Accept": "application/json", "Content-Type": "application/json", "Accept-Encoding": "identity"}
        headers = {**kinds, **self.backend.headers}
        method, data = ("GET", None) if body is None else ("POST", orjson.dumps(body))
        sent = self._session().request(
            method, f"{self.endpoint}{path}", headers=headers, data=data, allow_redirects=False
        )
        async with sent as response:
            content = bytearray()
            said = response.content_length or 0
            async for chunk in response.content.iter_any():
                content += chunk
                if max(said, len(content)) > LARGEST_REPLY:
                    response.close()
                    raise NotAnAnswer(f"the reply is larger than {LARGEST_REPLY} bytes")
            return HttpReply(response.status, response.headers, content.decode("utf-8", "replace"))

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            # Reading the certificates takes longer than the first call to a server next door.
            ssl = httpx.create_ssl_context() if self.endpoint.startswith("https:") else True
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, keepalive_timeout=KEEP_ALIVE, ssl=ssl, socket_factory=_watched_socket
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(CONNECT_TIMEOUT, self._deadline)),
                cookie_jar=aiohttp.DummyCookieJar(),
                # Not trust_env, which also takes credentials out of ~/.netrc and refuses them beside ours.
                proxy=proxy_for(self.endpoint),
            )
            weakref.finalize(self, _close_on, loop, session)
        return session


async def model_lists(
    servers: Sequence[Server], ask: Callable[[Server], Awaitable[list[ModelName]]]
) -> tuple[dict[Server, list[ModelName]], dict[Server, NotConnected]]:
    """What each server lists when it is asked so, all at once, and why others are left out: they are not up. Raises the
    first error of another kind, or the first of all where none is up."""
    # When one fails the others are waited for: their connections would be left open.
    found = await asyncio.gather(*map(ask, servers), return_exceptions=True)
    lists, away = dict[Server, list[ModelName]](), dict[Server, NotConnected]()
    for server, said in zip(servers, found, strict=True):
        if isinstance(said, NotConnected):
            away[server] = said
        elif isinstance(said, BaseException):
            raise said
        else:
            lists[server] = said
    if away and not lists:
        raise next(iter(away.values()))
    return lists, away


def _watched_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for an address as `getaddrinfo` gives it, broken off after `LOST_AFTER`."""
    made = socket.socket(*address[:3])
    if sys.platform == "linux":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, LOST_AFTER // 3)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, LOST_AFTER // 3)
        # Not TCP_USER_TIMEOUT, which also ends what a server is slow to read (tcp(7)).
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    return made


def proxy_for(endpoint: str) -> str | None:
    """The proxy that the environment names for a server; none can reach this machine itself."""
    url = httpx.URL(endpoint)
    if url.host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(url.host):
        return None
    found = getproxies().get(url.scheme) or getproxies().get("all") or ""
    # aiohttp speaks to no other proxy.
    return found if found.startswith(("http://", "https://")) else None


def _close_on(loop: asyncio.AbstractEventLoop, session: aiohttp.ClientSession) -> None:
    """Closes what nobody closed, as nobody has to who never saw the background loop."""
    if loop.is_running():
        asyncio.run_coroutine_threadsafe(session.close(), loop)
