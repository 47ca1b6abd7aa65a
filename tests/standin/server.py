"""A real HTTP server that stands in for Argo and for OpenAI-compatible servers.

    def brain(body):                      # the JSON body of a request -> the answer's content
        return '{"answer": "42"}'         # raise on a request that you do not know

    with StandIn(brain, faults=FaultPlan(share=0.3, kinds=["500", "429", "reset"], seed=1)) as server:
        resolve("openai/any", api_base=server.openai_base)

    with StandIn(brain, argo_user="jdoe") as server:
        resolve("gpt41", env={"ARGO_USER": "jdoe", "ARGO_BASE_URL": server.url})

Routes: POST /v1/chat/completions (OpenAI's shape; Argo's native route when `argo_user` is given), POST
/api/v1/resource/chat/ (Argo's legacy route), GET /v1/models, GET /health. With `argo_user`, requests must carry it both as
bearer token and as `user`, and keep the parameter rules of the model's family; what breaks a rule is answered with 400.

After a test look at `server.surprises`: what the brain raised. It is answered with HTTP 500, so a client may have
retried over it.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.standin import rules
from tests.standin.faults import NOTICE, PAGE, PROSE, FaultPlan, error_body

Brain = Callable[[dict[str, Any]], str]

DEFAULT_MODELS = [("GPT-4o", "gpt4o")]
"""What a server lists that takes any."""


@dataclass(frozen=True)
class Call:
    """One request for an answer: when it came (time.monotonic), by which path, its JSON body, and its planned fault."""

    at: float
    path: str
    body: dict[str, Any]
    fault: str | None


@dataclass(eq=False)
class StandIn:
    """The server, as a context manager; it runs in a thread of its own with an event loop of its own.

    - `brain` makes each answer's content from the request's body; it runs in the server's thread, one at a time
    - `latency`: seconds before each reply; `peak`: the most requests that were in flight at once
    - `faults`: what goes wrong (see `faults.FaultPlan`); `retry_after`: the header sent with 429 and 503
    - `formats`: the response_format that it takes: "all", "json_object", "none"
    - `refuses`: parameters that it does not take, with the words in which it says so
    - `keeps_its_list`: a request for the models is answered with 403
    - `models`: (id, internal_id) of the models it knows; a request for another is refused. None: any will do
    - `argo_user`: be Argo for this user; `api_key`: otherwise, the key that requests must carry (None: none needed)
    - `reasoning`: reasoning_content of every answer, a string or a list of parts
    - `used`: the tokens read and written of every answer; `counts_tokens`: whether answers say them
    - `tls`: speak https by it; `compressed`: pack replies, asked or not
    - `calls`: every request for an answer; `model_lists`: how often /v1/models was asked; `surprises`: what the
      brain raised
    """

    brain: Brain
    latency: float = 0.0
    faults: FaultPlan = field(default_factory=FaultPlan)
    retry_after: str | None = None
    formats: str = "all"
    refuses: Mapping[str, str] = field(default_factory=dict)
    keeps_its_list: bool = False
    models: Sequence[tuple[str, str]] | None = None
    argo_user: str | None = None
    api_key: str | None = None
    reasoning: Any = None
    counts_tokens: bool = True
    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    compressed: bool = False
    used: list[tuple[int, int]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    surprises: list[BaseException] = field(default_factory=list)
    model_lists: int = 0
    in_flight: int = 0
    peak: int = 0

    def __post_init__(self) -> None:
        self._stopping = asyncio.Event()
        self._ready = Future[None]()
        self._thread = threading.Thread(target=self._serve, name="stand-in", daemon=True)

    @property
    def url(self) -> str:
        """The address without a path: Argo's base."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def openai_base(self) -> str:
        """The base URL for OpenAI-compatible clients."""
        return f"{self.url}/v1"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all calls, in order."""
        return [call.body for call in self.calls]

    def __enter__(self) -> StandIn:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:
            self._ready.set_exception(error)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_post("/api/v1/resource/chat/", self._answer)
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_get("/health", self._health)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, backlog=4096, ssl_context=self.tls)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set_result(None)
        await self._stopping.wait()
        await site.stop()
        await self._moment()  # what was just accepted is known then, and can be cut
        await runner.cleanup()
        await self._moment()  # what was cut is closed then

    async def _moment(self) -> None:
        """A hundredth of a second, which no test that counts what is slept is told of: a client whose connection is left
        open hangs."""
        over = asyncio.Event()
        self._loop.call_later(0.01, over.set)
        await over.wait()

    async def _health(self, _request: web.Request) -> web.StreamResponse:
        return web.Response()

    async def _list_models(self, request: web.Request) -> web.StreamResponse:
        self.model_lists += 1
        if self._refused_credentials(request, None) is not None:
            return web.json_response({"error": {"message": "who are you?"}}, status=401)
        if self.keeps_its_list:
            return web.json_response({"error": {"message": "missing scope: model.read"}}, status=403)
        entries = [{"id": shown, "internal_id": taken} for shown, taken in self.models or DEFAULT_MODELS]
        return web.json_response({"data": entries})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        call = Call(time.monotonic(), request.path, body, self.faults.fault(len(self.calls)))
        self.calls.append(call)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            return await self._reply(request, call)
        finally:
            self.in_flight -= 1

    async def _reply(self, request: web.Request, call: Call) -> web.StreamResponse:
        if (early := await self._fault(request, call)) is not None:
            return early
        if refused := self._refused(request, call):
            status, message = refused
            kind = "model_not_found" if status == 404 else "invalid_request_error"
            return web.json_response({"error": {"message": message, "type": kind}}, status=status)
        try:
            content = self.brain(call.body)
        except Exception as error:
            self.surprises.append(error)
            return web.json_response({"error": {"message": f"stand-in: {error!r}"}}, status=500)
        return self._completion(call, content)

    async def _fault(self, request: web.Request, call: Call) -> web.StreamResponse | None:
        """The reply to a call with a fault that needs no answer, or None where the answer itself will be spoilt, if any."""
        fault = call.fault or ""
        if fault.isdigit():
            credentials = f"{request.headers.get('Authorization')} user={call.body.get('user')}"
            headers = {"Retry-After": self.retry_after} if self.retry_after and fault in ("429", "503") else {}
            text = error_body(int(fault), credentials)
            return web.Response(status=int(fault), headers=headers, text=text, content_type="application/json")
        if fault == "html" or fault.startswith("page"):
            status = 200 if fault == "html" else int(fault.removeprefix("page"))
            return web.Response(status=status, text=PAGE, content_type="text/html")
        if fault == "reset":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "hang":
            await self._stopping.wait()
            return web.Response()
        if fault == "dribble":
            return await self._dribble(request)
        if fault == "error200":
            return web.json_response({"error": {"message": f"upstream failed for {self.argo_user or self.api_key}"}})
        if fault == "forbidden200":
            return web.json_response({"error": {"message": "this text is refused", "code": 403}})
        if fault == "overloaded200":
            return web.json_response({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
        if fault == "context":
            words = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."
            return web.json_response({"error": {"message": words, "code": "context_length_exceeded"}}, status=400)
        return None

    async def _dribble(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not self._stopping.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    def _refused(self, request: web.Request, call: Call) -> tuple[int, str] | None:
        if credentials := self._refused_credentials(request, call.body):
            return credentials
        model = call.body.get("model")
        if self.models is not None and model not in [taken for _, taken in self.models]:
            return (400, f"Invalid model: {model}") if self.argo_user else (404, f"The model `{model}` does not exist")
        broken = rules.refused_format(call.body, self.formats)
        if call.body["messages"][0]["role"] == "system" and "system" in self.refuses:
            broken = broken or self.refuses["system"]
        broken = broken or next((words for name, words in self.refuses.items() if name in call.body), None)
        if broken is None and self.argo_user is not None:
            broken = rules.broken_argo_rule(call.body, legacy=call.path.startswith("/api/"))
        return (400, broken) if broken else None

    def _refused_credentials(self, request: web.Request, body: dict[str, Any] | None) -> tuple[int, str] | None:
        given = request.headers.get("Authorization")
        wanted = self.argo_user or self.api_key
        if wanted is not None and given != f"Bearer {wanted}":
            return 401, f"bad credentials {given}"
        if self.argo_user is not None and body is not None and body.get("user") != self.argo_user:
            return 401, f"bad user {body.get('user')}"
        return None

    def _completion(self, call: Call, content: str) -> web.StreamResponse:
        spoilt: dict[str, str | None] = {"empty": "", "null": None, "prose": PROSE, "argo_notice": NOTICE}
        fault = call.fault or ""
        said = content[: len(content) // 2] if fault == "truncated" else spoilt.get(fault, content)
        if call.path.startswith("/api/"):
            return web.json_response({"response": said})
        message: dict[str, Any] = {"role": "assistant", "content": said}
        if self.reasoning is not None:
            message["reasoning_content"] = self.reasoning
        prompt, completion = rules.words_of_prompt(call.body), len((said or "").split())
        self.used.append((prompt, completion))
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        choice = {"index": 0, "message": message, "finish_reason": "length" if fault == "truncated" else "stop"}
        said_by = {"id": f"standin-{len(self.calls)}", "object": "chat.completion", "model": call.body.get("model")}
        cached = {"prompt_tokens_details": {"cached_tokens": prompt // 2}}
        counted = {"usage": {**usage, **cached}} if self.counts_tokens else {}
        reply = web.json_response({**said_by, "choices": [choice], **counted})
        if self.compressed:
            reply.enable_compression(web.ContentCoding.gzip)
        return reply
