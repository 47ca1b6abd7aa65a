"""One server: how a request looks on its wire, what comes back, its pace, and what was learnt of it. It speaks aiohttp,
whose pool serves hundreds of calls at once for a third of the CPU time that httpx takes, and a tenth of the wall time."""

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
from rapidfuzz import fuzz, process, utils

from programs.errors import BackendError, CallError, FatalError, RateLimited, UnknownModel
from programs.lms.addresses import BaseUrl
from programs.lms.failures import Forbidden, NotAnAnswer, NotConnected, TimedOut, http_error, json_in
from programs.lms.meter import current_meter
from programs.lms.retry import Aside, Pacer
from programs.lms.wire import FORMATS, SAMPLING, BodyRules, chat_body, read_completion, read_json, usage_of
from programs.redaction import excerpt, printable

Effort = Literal["low", "medium", "high"]
"""How long a model thinks, in the words of OpenAI's `reasoning_effort`."""

LARGEST_REPLY = 4 * 1024 * 1024  # bytes: a hundred thousand tokens have one million, and hundreds fill the memory
CONNECT_TIMEOUT = 5.0
KEEP_ALIVE = 30.0
EXCUSED = 60.0  # seconds of nothing but pages that refuse, after which those of a server that has answered are meant
NEAR = 50.0  # of 100: how alike names are from which on one may be meant for the other
FORBIDDEN_AT_FIRST = 5  # so many 403 refuse the credentials, where a server has never answered, and not a text

LOST_AFTER = 30
"""Seconds without a sign of life from the other machine, which its system gives however busy the server is, after which a
connection that waits for a reply is broken. One that has lost its power or its network says nothing, and a call would wait
for all of its time, as one still does whose prompt was on the way."""

log = logging.getLogger("synthreasoner")


class HttpReply(NamedTuple):
    """A whole HTTP reply. Headers are asked for by names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class ModelName(NamedTuple):
    """A model as a server lists it: the name it shows, and the name that requests take."""

    id: str
    internal_id: str


class Server:
    """A model on a server that speaks OpenAI's chat completions, asked on the running event loop, any number of calls at
    once. A kind of server that differs is a class that says how, such as `programs.lms.argo`.

    `endpoint` may be shown to anyone; `headers` and `secrets` may never be. `rules` are what the model is known to take:
    a server that refuses a parameter is asked again without, within the same try, and never sent it again once it has
    answered so. There is one client a loop, which `aclose` on that loop closes; what is learnt holds for all loops.

    A 403 in JSON, also one that comes with status 200, refuses one call, unless it is all that a server ever said. A page
    with 401, 403 or 404 from before a server that has answered, as proxies send them, is tried again for a while."""

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
        self._effort, self._deadline = reasoning_effort, timeout
        self._known = self._answered = False
        self._refused = 0
        self._refusing_since: float | None = None
        self._models: list[ModelName] | None = None
        self._sessions = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession]()
        self._pacers = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer]()
        self.connect(base, api_key)

    def connect(self, base: BaseUrl, api_key: str | None) -> None:
        """From now on the server is there."""
        self.endpoint = base.url
        self.secrets = tuple(secret for secret in (api_key, *base.secrets) if secret)
        credentials = f"Bearer {api_key}" if api_key else f"Basic {base.basic}" if base.basic else None
        # What is unpacked has any size.
        kinds = {"Accept": "application/json", "Content-Type": "application/json", "Accept-Encoding": "identity"}
        self.headers = kinds if credentials is None else {**kinds, "Authorization": credentials}

    @property
    def supported_params(self) -> frozenset[str]:
        """What the model takes, by DSPy's names for it."""
        formats = {"response_format"} if "json_object" in self.rules.takes else set()
        return frozenset({"max_tokens", *formats, *(self.rules.takes & {*SAMPLING, "reasoning_effort"})})

    @property
    def supports_response_schema(self) -> bool:
        """Whether replies are held to a schema; False once the server has refused schemas."""
        return "json_schema" in self.rules.takes

    def body(self, request: Request, rules: BodyRules) -> dict[str, Any]:
        """The JSON body that asks for an answer by `rules`, which may be fewer than the server's own."""
        return chat_body(request, model=self.model, rules=rules, reasoning_effort=self._effort)

    def read(self, reply: HttpReply) -> Response:
        """The answer in a reply. Raises a BackendError without secrets for everything that is no answer."""
        return read_completion(self.payload(reply), model=self.model, secrets=self.secrets)

    def payload(self, reply: HttpReply) -> Mapping[str, Any]:
        """The JSON object in a reply. Raises as `read` does."""
        if not 200 <= reply.status < 300:
            raise http_error(reply.status, reply.headers, reply.text, self.secrets)
        return read_json(reply.text, self.secrets)

    async def ready(self) -> None:
        """Returns when the server may be asked. Raises UserError where it cannot be started."""

    async def ask(self, request: Request, aside: Aside) -> Response:
        """The answer to `request`, without a retry, counted by the meter; waits `aside` for the server's pace. Raises a
        BackendError."""
        await self.ready()
        pacer = self._pacers.setdefault(asyncio.get_running_loop(), Pacer())
        await (pacer.wait_to_send() if pacer.rate is None else aside(pacer.wait_to_send()))
        refused = False
        try:
            return await self._answer(request)
        except RateLimited:
            refused = True
            raise
        finally:
            pacer.heard(refused=refused)

    async def list_models(self) -> list[ModelName]:
        """The models that the server offers, asked once, without a retry; entries in no known form are passed over. Raises
        a BackendError."""
        await self.ready()
        entries = self.payload(await self._send(self.models_path)).get("data")
        known = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
        names = [[entry[key] for key in ("id", "internal_id") if isinstance(entry.get(key), str)] for entry in known]
        models = [ModelName(printable(said[0]), printable(said[-1])) for said in names if said]
        self._known = self._known or any(self.model in names for names in models)
        return models

    async def aclose(self) -> None:
        """Closes the running loop's connections. A later call opens new ones."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    def close(self) -> None:
        """Gives back what `ready` took, for all loops. Safe to call twice."""

    async def _answer(self, request: Request, **more: Any) -> Response:
        """The answer to a request whose body has `more` fields."""
        rules, meter = self.rules, current_meter()
        while True:
            body, reply, began = {**self.body(request, rules), **more}, None, time.monotonic()
            try:
                try:
                    reply = await self._send(self.chat_path, body)
                finally:
                    meter.requests += 1
                    meter.spent.seconds = round(meter.spent.seconds + time.monotonic() - began, 3)
                response = self.read(reply)
            except BackendError as error:
                meter.add_fault(error, usage_of(json_in(reply.text) if reply else None))
                fewer = rules.after(error, body)
                if fewer is None:
                    raise await self._meant(error, reply) from None
                rules = fewer
                continue
            meter.add_answer(response)
            self._known = self._answered = True
            self._refusing_since = None
            if refused := self.rules.takes - rules.takes:
                self.rules = self.rules.without(*refused)
                level = logging.INFO if refused <= FORMATS else logging.WARNING
                names = ", ".join(sorted(refused))
                log.log(level, "%s does not take %s, and is not sent it again", self.endpoint, names)
            return response

    async def _meant(self, error: BackendError, reply: HttpReply | None) -> BackendError:
        """What an error is in the light of what is known of the server."""
        if isinstance(error, FatalError) and reply is not None and not reply.text.lstrip().startswith(("{", "[")):
            now = time.monotonic()
            self._refusing_since = self._refusing_since or now
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
        return with_nearest(error, self.model, self._models)

    async def _send(self, path: str, body: Mapping[str, Any] | None = None) -> HttpReply:
        """What comes back for a body, or for no body. Raises the TransientError of a broken or silent connection."""
        try:
            # Not aiohttp's own limit of the whole, which now and then swallows a cancellation; and one of reading is never
            # reached where a server sends a byte now and then.
            return await asyncio.wait_for(self._exchange(path, body), self._deadline)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            connecting = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
            if connecting and not isinstance(error, aiohttp.ClientSSLError):
                raise NotConnected(f"{self.endpoint} is not reachable: {self.unreachable}") from None
            if isinstance(error, asyncio.TimeoutError | TimeoutError):
                raise TimedOut(f"{self.endpoint} gave no whole reply in time") from None
            said = excerpt(str(error), self.secrets)
            if isinstance(error, aiohttp.ClientConnectorCertificateError):
                said += ": SSL_CERT_FILE names a file of authorities"
            raise NotConnected(f"the connection to {self.endpoint} broke: {said}") from None

    async def _exchange(self, path: str, body: Mapping[str, Any] | None) -> HttpReply:
        method, data = ("GET", None) if body is None else ("POST", orjson.dumps(body))
        sent = self._session().request(
            method, f"{self.endpoint}{path}", headers=self.headers, data=data, allow_redirects=False
        )
        async with sent as response:
            content, said = bytearray(), response.content_length or 0
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
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEEP_ALIVE, ssl=ssl, socket_factory=_watched_socket
            )
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(CONNECT_TIMEOUT, self._deadline)),
                cookie_jar=aiohttp.DummyCookieJar(),
                # Not trust_env, which also takes credentials out of ~/.netrc and refuses them beside ours.
                proxy=proxy_for(self.endpoint),
            )
            weakref.finalize(self, _close_on, loop, session)
        return session


def with_nearest(error: UnknownModel, name: str, known: Iterable[ModelName]) -> UnknownModel:
    """`error` with up to three of the known names added to its message, nearest first, compared by either of a model's
    names; as it is where none is near."""
    internal = {each: model.internal_id for model in known for each in model}
    found = process.extract(
        name, list(internal), scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=NEAR, limit=None
    )
    names = list(dict.fromkeys(internal[near] for near, *_ in found))
    return UnknownModel(f"{error} (nearest names: {', '.join(names[:3])})") if names else error


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
