"""The LMs that DSPy calls, sync or async, and the engine that answers their requests.

`limited_by` limits the calls in flight: it says where the engine gets a permit for each call. The engine holds the
permit from request to reply, but not while a prompt is built or a reply is read, nor while a call waits for a retry or
a server's pace."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import dspy
from dspy.lm15 import Config, Message, Request, Response
from dspy.utils.callback import with_callbacks
from typing_extensions import Self

from programs.background_loop import run_in_background
from programs.lms.retry import ReleaseWhile, RetryPolicy
from programs.lms.server import ListedModel, Server, model_lists
from programs.lms.spread import ServerSpread

log = logging.getLogger(__name__)
DSPYS_ACALL = dspy.LM.acall

PermitSource = Callable[[], AbstractAsyncContextManager[ReleaseWhile]]
"""Returns a context that holds a permit for one call, and yields a way to wait without it."""

# Outside `limited_by` blocks, calls are not limited.
_permit_source: ContextVar[PermitSource] = ContextVar("permit", default=lambda: nullcontext(asyncio.ensure_future))


@contextmanager
def limited_by(permits: PermitSource) -> Iterator[None]:
    """Calls made inside the block, or in tasks that inherit its context, wait for a permit from `permits` and hold it."""
    token = _permit_source.set(permits)
    try:
        yield
    finally:
        _permit_source.reset(token)


class Shared:
    """A deep copy of an instance is the instance itself: optimizers copy whole programs, but their copies must share
    connections, journal and budget."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Engine(Shared):
    """Answers requests with one or more servers of the same model (see `spread`). Call `aclose` on each event loop."""

    def __init__(self, servers: Sequence[Server], retry: RetryPolicy) -> None:
        self.servers, self._retry = tuple(servers), retry
        self._spread = ServerSpread([server.endpoint for server in servers], retry.delay_after)
        self.supported_params = frozenset.intersection(*(server.supported_params for server in servers))

    @property
    def supports_response_schema(self) -> bool:
        """False once any server has refused schemas: it is read before a call, when no server is chosen yet."""
        return all(server.supports_response_schema for server in self.servers)

    async def complete(self, request: Request) -> Response:
        """Answers a request, holding a permit. If a server fails, the next one is asked at once; if all fail, the retry
        policy applies. Raises the last BackendError."""
        async with _permit_source.get()() as release_while:
            return await self._retry.call(lambda: self._ask_servers(request, release_while), release_while)

    async def list_models(self) -> list[ListedModel]:
        """The models that all servers offer, without retries. If some server is up, those that are not are left out with
        a warning. Raises a BackendError."""
        lists, down = await model_lists(self.servers, lambda server: server.list_models())
        for error in down.values():
            log.warning("leaving out a server: %s", error)
        first, *others = lists.values()
        return [name for name in first if all(name in other for other in others)]

    async def aclose(self) -> None:
        """Closes the running loop's connections, and whatever the servers hold for all loops. A later call reopens them."""
        for server in self.servers:
            await server.aclose()

    async def _ask_servers(self, request: Request, release_while: ReleaseWhile) -> Response:
        if len(self.servers) == 1:
            return await self.servers[0].ask(request, release_while)
        order, tried = self._spread.order(request), list[int]()
        while True:
            with self._spread.try_server(order, tried) as server:
                return await self.servers[server].ask(request, release_while)


class BlockingEngine(Shared):
    """The sync engine that every `dspy.LM` requires. It runs the async engine on the background loop. Any number of threads
    may call it at once, except for the background loop's own."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.supported_params = frozenset(engine.supported_params)

    @property
    def supports_response_schema(self) -> bool:
        return bool(self._engine.supports_response_schema)

    def complete(self, request: Request) -> Response:
        response: Response = run_in_background(self._engine.complete(request))
        return response


class DirectLM(dspy.LM):
    """A `dspy.LM` whose `acall` goes directly to our engine.

    DSPy's own `acall` switches to a thread and back twice per call, to read files that our messages do not name and to look
    up prices that our engines do not have. At 256 calls in flight, it takes 2.4 ms of CPU per call and reaches 285 calls a
    second; the direct way takes 1.7 ms and reaches 408. DSPy's way is used if its history, usage tracking or streaming is
    on, or if a tracer has wrapped `dspy.LM.acall`."""

    def __init__(self, model: str, engine: Any, **options: Any) -> None:
        super().__init__(
            model, engine=BlockingEngine(engine), async_engine=engine, num_retries=0, cache=False, **options
        )
        self._async_engine = engine

    async def acall(self, prompt: str | None = None, *, messages: Any = None, **options: Any) -> list[Any]:
        """One completion of the messages. Raises the engine's errors; on DSPy's way, they are the causes of DSPy's."""
        settings = dspy.settings
        observed = not settings.disable_history or settings.usage_tracker or settings.send_stream
        # DSPy's adapters also write demonstrations as assistant messages, and pass a class as `response_format`.
        plain = {message["role"] for message in messages or ()} <= {"system", "user"}
        plain &= isinstance(options.get("response_format"), dict | None)
        if prompt is not None or observed or not plain or dspy.LM.acall is not DSPYS_ACALL:
            return await super().acall(prompt, messages=messages, **options)  # type: ignore[no-any-return]
        return await self._direct(messages=messages, **options)  # type: ignore[no-any-return]

    @with_callbacks  # type: ignore[untyped-decorator]
    async def _direct(self, *, messages: Any, **options: Any) -> list[Any]:
        response = await self._async_engine.complete(request_of(self.model, messages, {**self.kwargs, **options}))
        # Not `message.text`, which is None if the message also has a thinking part.
        return [response.text]


def request_of(model: str, messages: list[dict[str, str]], options: dict[str, Any]) -> Request:
    """The request that DSPy would make of system and user messages and options, without the options that are None. Raises
    TypeError for an option that DSPy does not know."""
    given = {name: value for name, value in options.items() if value is not None and name != "rollout_id"}
    schema = given.get("response_format", {}).get("json_schema")
    if schema is not None:
        # OpenAI nests the schema; DSPy's request holds it flat.
        given["response_format"] = {"type": "json_schema", **schema}
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    user_messages = tuple(Message.user(message["content"]) for message in messages if message["role"] == "user")
    return Request(model=model, system=system or None, messages=user_messages, config=Config(**given))
