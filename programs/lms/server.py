"""One server: its requests and replies, its pace, and what was learned about it. Uses aiohttp, whose connection pool serves
hundreds of calls at once in a third of the CPU time and a tenth of the wall time of httpx."""

import asyncio
import logging
import socket
import sys
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
import orjson
from dspy.lm15 import Request, Response

from programs.cli.options import suggestion
from programs.errors import BackendError, CallError, FatalError, RateLimited, UnknownModel
from programs.lms.addresses import BaseUrl
from programs.lms.failures import CallTimeout, ConnectionFailed, Forbidden, InvalidReply, http_error, json_in
from programs.lms.meter import current_meter
from programs.lms.retry import Pacer, ReleaseWhile
from programs.lms.wire import FORMATS, SAMPLING, BodyRules, chat_body, read_completion, read_json, usage_of
from programs.redaction import excerpt, strip_unprintable

Effort = Literal["low", "medium", "high"]
"""How long a model thinks, as values of OpenAI's `reasoning_effort`."""

MAX_REPLY_BYTES = 4 * 1024 * 1024  # 100,000 tokens are about a million bytes, and hundreds of replies come at once
CONNECT_TIMEOUT = 5.0
POOL_SECONDS = 30.0  # how long an idle connection is kept open for later calls
MIN_SIMILARITY = 50.0  # of 100; a known name this similar to an unknown one is suggested
MAX_INITIAL_403S = 5  # this many 403s from a server that has never answered mean bad credentials, not a refused text

KEEPALIVE_SECONDS = 30
"""Seconds after which a waiting connection is closed if the other machine answers no TCP keepalive probe. Its kernel
answers however busy the server is, unless power or network is lost. Without the probes, a call would then wait for its
whole timeout, as it still does if its prompt was in transit."""

log = logging.getLogger("synthreasoner")


class HttpReply(NamedTuple):
    """A complete HTTP reply. Headers are looked up by names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class ListedModel(NamedTuple):
    """A model as a server lists it: the name to show, and the name to use in requests."""

    id: str
    request_name: str


class Server:
    """A model on a server that speaks OpenAI's chat completions. Takes any number of calls at once, on the running event
    loop. Servers that differ are subclasses, such as `programs.lms.argo.Argo`.

    `endpoint` may be shown to anyone; `headers` and `secrets` never. `rules` is what the model is known to accept. If the
    server refuses a parameter, the request is sent without it, in the same try; once that is answered, the parameter is
    never sent again. Each loop has its own connections, closed by `aclose` on that loop; what is learned is shared.

    A 403 in JSON, even with status 200, fails one call only; the MAX_INITIAL_403S-th is fatal if the server has answered
    none. An error page that is not JSON (401, 403, 404), as proxies send, is retried if the server has answered before."""

    name = "openai"
    unreachable = "is the server running, and is the base URL right?"
    chat_path, models_path = "/chat/completions", "/models"

    def __init__(
        self,
        model: str,
        *,
        base: BaseUrl,
        api_key: str | None = None,
        rules: BodyRules | None = None,
        reasoning_effort: Effort | None = None,
        timeout: float = 120.0,
    ) -> None:
        self.model, self.rules = model, rules or BodyRules()
        self._effort, self._timeout = reasoning_effort, timeout
        self._answered = False
        self._initial_403s = 0
        self._models: list[ListedModel] | None = None
        self._sessions = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession]()
        self._pacers = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer]()
        self.connect(base, api_key)

    def connect(self, base: BaseUrl, api_key: str | None) -> None:
        """Sets the address and the credentials of the server."""
        self.endpoint = base.url
        self.secrets = tuple(secret for secret in (api_key, *base.secrets) if secret)
        # Uncompressed: a small compressed reply could unpack to any size.
        headers = {"Accept": "application/json", "Content-Type": "application/json", "Accept-Encoding": "identity"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        elif base.basic:
            headers["Authorization"] = f"Basic {base.basic}"
        self.headers = headers

    @property
    def supported_params(self) -> frozenset[str]:
        """The parameters that the model accepts, by DSPy's names."""
        formats = {"response_format"} if "json_object" in self.rules.accepted else set()
        return frozenset({"max_tokens", *formats, *(self.rules.accepted & {*SAMPLING, "reasoning_effort"})})

    @property
    def supports_response_schema(self) -> bool:
        """Whether the server enforces schemas; False once it has refused one."""
        return "json_schema" in self.rules.accepted

    def body(self, request: Request, rules: BodyRules) -> dict[str, Any]:
        """The JSON body of a request. `rules` may accept less than the server's own."""
        return chat_body(request, model=self.model, rules=rules, reasoning_effort=self._effort)

    def read(self, reply: HttpReply) -> Response:
        """The answer in a reply. Raises a BackendError, without secrets, if there is none."""
        return read_completion(self.payload(reply), model=self.model, secrets=self.secrets)

    def payload(self, reply: HttpReply) -> Mapping[str, Any]:
        """The JSON object in a reply. Raises like `read_completion`."""
        if not 200 <= reply.status < 300:
            raise http_error(reply.status, reply.headers, reply.text, self.secrets)
        return read_json(reply.text, self.secrets)

    async def ready(self) -> None:
        """Returns when the server can be called. Raises UserError if it cannot be started."""

    async def ask(self, request: Request, release_while: ReleaseWhile) -> Response:
        """Answers a request, without retries, counted by the current meter. `release_while` waits for the server's pace.
        Raises a BackendError."""
        await self.ready()
        pacer = self._pacers.setdefault(asyncio.get_running_loop(), Pacer())
        await (pacer.wait_to_send() if pacer.rate is None else release_while(pacer.wait_to_send()))
        refused, started = False, time.monotonic()
        try:
            return await self._answer(request)
        except RateLimited:
            refused = True
            raise
        finally:
            spent = current_meter().spent
            spent.seconds = round(spent.seconds + time.monotonic() - started, 3)
            pacer.record_end(refused=refused)

    async def list_models(self) -> list[ListedModel]:
        """The models that the server lists, without retries; entries of unknown form are skipped. Raises a BackendError."""
        await self.ready()
        entries = self.payload(await self._send(self.models_path)).get("data")
        known = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
        names = [[entry[key] for key in ("id", "internal_id") if isinstance(entry.get(key), str)] for entry in known]
        return [ListedModel(strip_unprintable(ids[0]), strip_unprintable(ids[-1])) for ids in names if ids]

    async def aclose(self) -> None:
        """Closes the running loop's connections. A later call opens new ones. A subclass also releases, for all loops, what
        `ready` acquired. Safe to call twice."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def _answer(self, request: Request, **extra_fields: Any) -> Response:
        """The answer to a request, with `extra_fields` added to its body."""
        rules, meter = self.rules, current_meter()
        while True:
            body = {**self.body(request, rules), **extra_fields}
            reply = None
            try:
                reply = await self._send(self.chat_path, body)
                response = self.read(reply)
            except BackendError as error:
                meter.add_fault(error, usage_of(json_in(reply.text) if reply else None))
                narrower = rules.after(error, body)
                if narrower is None:
                    raise await self._reinterpret(error, reply) from None
                rules = narrower
                continue
            meter.add_answer(response)
            self._answered = True
            if refused := self.rules.accepted - rules.accepted:
                self.rules = self.rules.without(*refused)
                level = logging.INFO if refused <= FORMATS else logging.WARNING
                names = ", ".join(sorted(refused))
                log.log(level, "%s does not accept %s, which will not be sent again", self.endpoint, names)
            return response

    async def _reinterpret(self, error: BackendError, reply: HttpReply | None) -> BackendError:
        """The error to raise instead of `error`, given what is known about the server."""
        if isinstance(error, FatalError) and reply is not None and not reply.text.lstrip().startswith(("{", "[")):
            if self._answered and reply.status >= 300:
                return InvalidReply(str(error))
        elif isinstance(error, Forbidden):
            self._initial_403s += 1
            if self._answered or self._initial_403s < MAX_INITIAL_403S:
                return CallError(str(error))
        if not isinstance(error, UnknownModel):
            return error
        if self._models is None:
            try:
                self._models = await self.list_models()
            except BackendError:
                self._models = []
        return UnknownModel(f"{error}{nearest_name(self.model, self._models)}")

    async def _send(self, path: str, body: Mapping[str, Any] | None = None) -> HttpReply:
        """Posts a body, or sends a GET without one. Raises a TransientError if the connection fails or times out."""
        try:
            # aiohttp's total timeout occasionally swallows a cancellation, and its read timeout never expires if a server
            # sends a byte now and then.
            return await asyncio.wait_for(self._exchange(path, body), self._timeout)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            connecting = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
            if connecting and not isinstance(error, aiohttp.ClientSSLError):
                raise ConnectionFailed(f"{self.endpoint} is not reachable: {self.unreachable}") from None
            if isinstance(error, asyncio.TimeoutError | TimeoutError):
                raise CallTimeout(f"{self.endpoint} timed out before its reply was complete") from None
            reason = excerpt(str(error), self.secrets)
            if isinstance(error, aiohttp.ClientConnectorCertificateError):
                reason += ": set SSL_CERT_FILE to a file of trusted authorities"
            raise ConnectionFailed(f"the connection to {self.endpoint} broke: {reason}") from None

    async def _exchange(self, path: str, body: Mapping[str, Any] | None) -> HttpReply:
        method, data = ("GET", None) if body is None else ("POST", orjson.dumps(body))
        request = self._session().request(
            method, f"{self.endpoint}{path}", headers=self.headers, data=data, allow_redirects=False
        )
        async with request as response:
            content, announced = bytearray(), response.content_length or 0
            async for chunk in response.content.iter_any():
                content += chunk
                if max(announced, len(content)) > MAX_REPLY_BYTES:
                    response.close()
                    raise InvalidReply(f"the reply is larger than {MAX_REPLY_BYTES} bytes")
            return HttpReply(response.status, response.headers, content.decode("utf-8", "replace"))

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            # Loading the certificates takes longer than the first call to a nearby server, so skip it for http.
            ssl = httpx.create_ssl_context() if self.endpoint.startswith("https:") else True
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=POOL_SECONDS, ssl=ssl, socket_factory=_keepalive_socket
            )
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(CONNECT_TIMEOUT, self._timeout)),
                cookie_jar=aiohttp.DummyCookieJar(),
                # Not trust_env, which also takes credentials from ~/.netrc and then refuses ours beside them.
                proxy=proxy_for(self.endpoint),
            )
            weakref.finalize(self, _close_on, loop, session)
        return session


def nearest_name(name: str, known: Iterable[ListedModel]) -> str:
    """A suggestion to append to an error about an unknown `name`; "" if no model has a similar name for requests."""
    return suggestion(name, [model.request_name for model in known], MIN_SIMILARITY)


async def model_lists(
    servers: Sequence[Server], ask: Callable[[Server], Awaitable[list[ListedModel]]]
) -> tuple[dict[Server, list[ListedModel]], dict[Server, ConnectionFailed]]:
    """Asks all servers at once. Returns their lists, and the errors of the servers that are not up. Raises the first error
    of another kind, or the first of all if no server is up."""
    # Waits for all servers, even if one fails: otherwise their connections would be left open.
    results = await asyncio.gather(*map(ask, servers), return_exceptions=True)
    lists, down = dict[Server, list[ListedModel]](), dict[Server, ConnectionFailed]()
    for server, result in zip(servers, results, strict=True):
        if isinstance(result, ConnectionFailed):
            down[server] = result
        elif isinstance(result, BaseException):
            raise result
        else:
            lists[server] = result
    if down and not lists:
        raise next(iter(down.values()))
    return lists, down


def _keepalive_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for an address from `getaddrinfo`, with TCP keepalive (see `KEEPALIVE_SECONDS`)."""
    sock = socket.socket(*address[:3])
    if sys.platform == "linux":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS // 3)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_SECONDS // 3)
        # Not TCP_USER_TIMEOUT, which also closes connections that the server is slow to read from (tcp(7)).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    return sock


def proxy_for(endpoint: str) -> str | None:
    """The proxy that the environment names for a server; None for this machine itself, which no proxy can reach."""
    url = httpx.URL(endpoint)
    if url.host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(url.host):
        return None
    proxy = getproxies().get(url.scheme) or getproxies().get("all") or ""
    # aiohttp supports no other kind of proxy.
    return proxy if proxy.startswith(("http://", "https://")) else None


def _close_on(loop: asyncio.AbstractEventLoop, session: aiohttp.ClientSession) -> None:
    """Closes a session that was left open: synchronous callers, who never see the background loop, need not close it."""
    if loop.is_running():
        asyncio.run_coroutine_threadsafe(session.close(), loop)
