"""A fake of Argo and of OpenAI-compatible servers that speaks real HTTP.

    def brain(body):                      # takes a request's JSON body, returns the content of the answer
        return '{"answer": "42"}'         # should raise on unexpected requests

    with StandIn(brain, faults=FaultPlan(rate=0.3, kinds=["500", "429", "reset"], seed=1)) as server:
        resolve("openai/any", api_base=server.openai_base)

    with StandIn(brain, argo_user="jdoe") as server:
        resolve("gpt41", env={"ARGO_USER": "jdoe", "ARGO_BASE_URL": server.url})

Routes: POST /v1/chat/completions (OpenAI's format; with `argo_user`, Argo's native route), POST /api/v1/resource/chat/
(Argo's legacy route), GET /v1/models, GET /health. With `argo_user`, requests must have it as bearer token and as `user`,
and follow the parameter rules of the model's family; a request that breaks a rule is answered with 400.

Tests should check `server.brain_errors` at the end: an error of the brain is answered with HTTP 500, so a client may have
retried, and hidden it.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.standin import rules
from tests.standin.faults import ARGO_NOTICE, CHATTER, SIGN_IN_PAGE, FaultPlan, error_body

Brain = Callable[[dict[str, Any]], str]

DEFAULT_MODELS = [("GPT-4o", "gpt4o")]
"""The (id, internal_id) that a server lists if it accepts any model."""


@dataclass(frozen=True)
class Call:
    """A request for an answer: its path, its JSON body, and its planned fault."""

    path: str
    body: dict[str, Any]
    fault: str | None


@dataclass(eq=False)
class StandIn:
    """The server, as a context manager. It runs in its own thread, with its own event loop.

    - `brain`: returns an answer's content for a request's body; called in the server's thread, one request at a time
    - `latency`: seconds before each reply; `peak`: the largest number of requests in flight at once
    - `faults`: which requests fail; `retry_after`: the Retry-After header of 429 and 503
    - `formats`: the response_format that it accepts: "all", "json_object", "none"
    - `rejected_parameters`: parameters that it rejects, with the error message ("system": the role)
    - `forbids_model_list`: requests for the list of models are answered with 403
    - `models`: (id, internal_id) of the models that it knows; requests for others are rejected. None: accepts any
    - `argo_user`: be Argo, with this user; `api_key`: otherwise, the key that requests must have (None: no key needed)
    - `reasoning`: reasoning_content of every answer, a string or a list of parts
    - `token_counts`: prompt and completion tokens of every answer; `reports_usage`: whether answers include them
    - `tls`: the context for https; `compresses`: gzip replies even for clients that did not ask for it
    - `calls`: every request for an answer; `model_list_requests`: how often /v1/models was requested; `brain_errors`: what
      the brain raised
    """

    brain: Brain
    latency: float = 0.0
    faults: FaultPlan = field(default_factory=FaultPlan)
    retry_after: str | None = None
    formats: str = "all"
    rejected_parameters: Mapping[str, str] = field(default_factory=dict)
    forbids_model_list: bool = False
    models: Sequence[tuple[str, str]] | None = None
    argo_user: str | None = None
    api_key: str | None = None
    reasoning: Any = None
    reports_usage: bool = True
    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    compresses: bool = False
    token_counts: list[tuple[int, int]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    brain_errors: list[BaseException] = field(default_factory=list)
    model_list_requests: int = 0
    in_flight: int = 0
    peak: int = 0

    def __post_init__(self) -> None:
        self._stopping = asyncio.Event()
        self._ready = Future[None]()
        self._thread = threading.Thread(target=self._serve, name="stand-in", daemon=True)

    @property
    def url(self) -> str:
        """The address without a path: the base URL for Argo."""
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
        await self._pause()  # lets aiohttp register connections that were just accepted, so that it can close them
        await runner.cleanup()
        await self._pause()  # lets the sockets close

    async def _pause(self) -> None:
        """Waits 10 ms, so that no connection stays open, on which a client would hang. Does not call `asyncio.sleep`, which
        tests patch."""
        done = asyncio.Event()
        self._loop.call_later(0.01, done.set)
        await done.wait()

    async def _health(self, _request: web.Request) -> web.StreamResponse:
        return web.Response()

    async def _list_models(self, request: web.Request) -> web.StreamResponse:
        self.model_list_requests += 1
        if self._rejected_credentials(request, None) is not None:
            return web.json_response({"error": {"message": "who are you?"}}, status=401)
        if self.forbids_model_list:
            return web.json_response({"error": {"message": "missing scope: model.read"}}, status=403)
        entries = [{"id": id_, "internal_id": internal} for id_, internal in self.models or DEFAULT_MODELS]
        return web.json_response({"data": entries})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        call = Call(request.path, body, self.faults.fault(len(self.calls)))
        self.calls.append(call)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            return await self._reply(request, call)
        finally:
            self.in_flight -= 1

    async def _reply(self, request: web.Request, call: Call) -> web.StreamResponse:
        if (fault_reply := await self._fault_reply(request, call)) is not None:
            return fault_reply
        if rejection := self._rejection(request, call):
            status, message = rejection
            error_type = "model_not_found" if status == 404 else "invalid_request_error"
            return web.json_response({"error": {"message": message, "type": error_type}}, status=status)
        try:
            content = self.brain(call.body)
        except Exception as error:
            self.brain_errors.append(error)
            return web.json_response({"error": {"message": f"stand-in: {error!r}"}}, status=500)
        return self._completion(call, content)

    async def _fault_reply(self, request: web.Request, call: Call) -> web.StreamResponse | None:
        """The reply to a call whose fault needs no answer; None if it has no fault, or one that only changes the answer."""
        fault = call.fault or ""
        if fault.isdigit():
            credentials = f"{request.headers.get('Authorization')} user={call.body.get('user')}"
            headers = {"Retry-After": self.retry_after} if self.retry_after and fault in ("429", "503") else {}
            text = error_body(int(fault), credentials)
            return web.Response(status=int(fault), headers=headers, text=text, content_type="application/json")
        if fault == "html" or fault.startswith("page"):
            status = 200 if fault == "html" else int(fault.removeprefix("page"))
            return web.Response(status=status, text=SIGN_IN_PAGE, content_type="text/html")
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
            message = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."
            return web.json_response({"error": {"message": message, "code": "context_length_exceeded"}}, status=400)
        return None

    async def _dribble(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not self._stopping.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    def _rejection(self, request: web.Request, call: Call) -> tuple[int, str] | None:
        if rejection := self._rejected_credentials(request, call.body):
            return rejection
        model = call.body.get("model")
        if self.models is not None and model not in [internal for _, internal in self.models]:
            return (400, f"Invalid model: {model}") if self.argo_user else (404, f"The model `{model}` does not exist")
        reason = rules.rejected_format(call.body, self.formats)
        if call.body["messages"][0]["role"] == "system" and "system" in self.rejected_parameters:
            reason = reason or self.rejected_parameters["system"]
        reason = reason or next((text for name, text in self.rejected_parameters.items() if name in call.body), None)
        if reason is None and self.argo_user is not None:
            reason = rules.broken_argo_rule(call.body, legacy=call.path.startswith("/api/"))
        return (400, reason) if reason else None

    def _rejected_credentials(self, request: web.Request, body: dict[str, Any] | None) -> tuple[int, str] | None:
        sent = request.headers.get("Authorization")
        required = self.argo_user or self.api_key
        if required is not None and sent != f"Bearer {required}":
            return 401, f"bad credentials {sent}"
        if self.argo_user is not None and body is not None and body.get("user") != self.argo_user:
            return 401, f"bad user {body.get('user')}"
        return None

    def _completion(self, call: Call, content: str) -> web.StreamResponse:
        replacements: dict[str, str | None] = {"empty": "", "null": None, "prose": CHATTER, "argo_notice": ARGO_NOTICE}
        fault = call.fault or ""
        text = content[: len(content) // 2] if fault == "truncated" else replacements.get(fault, content)
        if call.path.startswith("/api/"):
            return web.json_response({"response": text})
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if self.reasoning is not None:
            message["reasoning_content"] = self.reasoning
        prompt, completion = rules.count_prompt_words(call.body), len((text or "").split())
        self.token_counts.append((prompt, completion))
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        choice = {"index": 0, "message": message, "finish_reason": "length" if fault == "truncated" else "stop"}
        header = {"id": f"standin-{len(self.calls)}", "object": "chat.completion", "model": call.body.get("model")}
        cached = {"prompt_tokens_details": {"cached_tokens": prompt // 2}}
        usage_part = {"usage": {**usage, **cached}} if self.reports_usage else {}
        reply = web.json_response({**header, "choices": [choice], **usage_part})
        if self.compresses:
            reply.enable_compression(web.ContentCoding.gzip)
        return reply
