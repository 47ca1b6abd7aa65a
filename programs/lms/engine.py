"""What DSPy calls: an LM over an engine of our own, awaited or not.

Whoever bounds the calls in flight says with `placed` how a place among them is had; the engine holds one from request to
reply: while a prompt is made or a reply is read, and while a call waits to be tried again or for a server's pace, another
call can have it.
"""

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

from programs.background_loop import run
from programs.errors import TransientError, UserError
from programs.lms.failures import backend_error
from programs.lms.meter import UNCOUNTED, current_meter
from programs.lms.retry import Aside, RetryPolicy
from programs.lms.server import ModelName, Server, model_lists
from programs.lms.spread import ServerSpread

log = logging.getLogger(__name__)
DSPYS_ACALL = dspy.LM.acall

Places = Callable[[], AbstractAsyncContextManager[Aside]]  # gives a place for one call, and how that waits without it
# Outside any `placed` block there is room for all.
_places: ContextVar[Places] = ContextVar("places", default=lambda: nullcontext(asyncio.ensure_future))


@contextmanager
def placed(places: Places) -> Iterator[None]:
    """Calls made inside, in tasks too that inherit the context, hold a place that `places` gives, and wait to enter it."""
    token = _places.set(places)
    try:
        yield
    finally:
        _places.reset(token)


class Shared:
    """A copy of it, however deep, is itself: optimizers copy whole programs, and connections, a journal, a budget stay one
    thing."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class Engine(Shared):
    """Answers requests by servers that offer the same model, at least one (see `spread`). `aclose` it on each loop."""

    def __init__(self, servers: Sequence[Server], retry: RetryPolicy) -> None:
        self.servers, self._retry = tuple(servers), retry
        self._spread = ServerSpread([server.endpoint for server in servers], retry.wait)
        self.supported_params = frozenset.intersection(*(server.supported_params for server in servers))

    @property
    def supports_response_schema(self) -> bool:
        """Read by DSPy before each call, when no server is chosen yet; False once one of them has refused schemas."""
        return all(server.supports_response_schema for server in self.servers)

    async def complete(self, request: Request) -> Response:
        """The answer to `request`, in a place of its own. Where a server fails the next is asked at once; where all do,
        it is tried again as the retry policy says. Raises the BackendError that remains."""
        async with _places.get()() as aside:
            return await self._retry.call(lambda: self._once(request, aside), aside)

    async def list_models(self) -> list[ModelName]:
        """The models that all servers offer, asked once each, without a retry. A server that is not up is left out, with a
        warning, where another is. Raises a BackendError."""
        lists, away = await model_lists(self.servers, Server.list_models)
        for error in away.values():
            log.warning("left out: %s", error)
        first, *others = lists.values()
        return [name for name in first if all(name in other for other in others)]

    async def aclose(self) -> None:
        """Closes the running loop's connections, and for all loops what the servers hold. A later call opens them
        anew."""
        for server in self.servers:
            await server.aclose()
            server.close()

    async def _once(self, request: Request, aside: Aside) -> Response:
        if len(self.servers) == 1:
            return await self.servers[0].ask(request, aside)
        order, tried = self._spread.order(request), list[int]()
        while True:
            with self._spread.turn(order, tried) as server:
                return await self.servers[server].ask(request, aside)


class BlockingEngine(Shared):
    """The sync engine that every `dspy.LM` has to have: it waits for the awaited one on the background loop. Any number of
    threads may call at once, but not that loop's own."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.supported_params = frozenset(engine.supported_params)

    @property
    def supports_response_schema(self) -> bool:
        return bool(self._engine.supports_response_schema)

    def complete(self, request: Request) -> Response:
        response: Response = run(self._engine.complete(request))
        return response


class DirectLM(dspy.LM):
    """`dspy.LM` over an engine of our own, to which its `acall` goes without a detour.

    DSPy's hops to a thread and back twice a call, to read files that our messages do not name and to look up prices that
    our engines do not have: 2.4 ms of CPU a call and 285 calls a second at 256 in flight, in place of 1.7 ms and 408. Where
    something of DSPy's listens (history, usage tracking, streams), or a tracer has wrapped its way, that is taken."""

    def __init__(self, model: str, engine: Any, **options: Any) -> None:
        super().__init__(
            model, engine=BlockingEngine(engine), async_engine=engine, num_retries=0, cache=False, **options
        )
        self._awaited = engine

    async def acall(self, prompt: str | None = None, *, messages: Any = None, **options: Any) -> list[Any]:
        """One completion for the messages. Raises the engine's own errors."""
        settings = dspy.settings
        listens = not settings.disable_history or settings.usage_tracker or settings.send_stream
        # DSPy's adapters also write demos as turns of an assistant, and give a class as the form.
        plain = {message["role"] for message in messages or ()} <= {"system", "user"}
        plain &= isinstance(options.get("response_format"), dict | None)
        if prompt is not None or listens or not plain or dspy.LM.acall is not DSPYS_ACALL:
            return await super().acall(prompt, messages=messages, **options)  # type: ignore[no-any-return]
        return await self._direct(messages=messages, **options)  # type: ignore[no-any-return]

    @with_callbacks  # type: ignore[untyped-decorator]
    async def _direct(self, *, messages: Any, **options: Any) -> list[Any]:
        response = await self._awaited.complete(request_of(self.model, messages, {**self.kwargs, **options}))
        # Not `message.text`, which is None where a thought stands beside the text.
        return [response.text]


class PatientLM(dspy.LM):
    """A model that DSPy calls itself, in a place of its own and tried again by our policy: DSPy's sleeps for as long as a
    server says, and holds the place meanwhile. It is its own engine, without servers: what it takes is not metered."""

    servers = ()

    def __init__(self, model: str, retry: RetryPolicy, **options: Any) -> None:
        super().__init__(model, num_retries=0, cache=False, **options)
        self._retry = retry

    async def acall(self, *args: Any, **options: Any) -> list[Any]:
        """As DSPy's, whose answers do not say what they took. Raises our TransientError where patience ends, DSPy's other
        errors as they are."""
        current_meter().spent += UNCOUNTED

        async def once() -> list[Any]:
            try:
                return await super(PatientLM, self).acall(*args, **options)  # type: ignore[no-any-return]
            except dspy.utils.exceptions.LMError as error:
                failure = backend_error(error)
                raise failure if isinstance(failure, TransientError) else error from error

        async with _places.get()() as aside:
            return await self._retry.call(once, aside)

    def __call__(self, *args: Any, **options: Any) -> list[Any]:
        return run(self.acall(*args, **options))

    async def complete(self, request: Request) -> Response:
        response: Any = await self.acall(request=request)
        return response

    async def list_models(self) -> list[ModelName]:
        """Raises UserError: DSPy has no such list."""
        raise UserError(f"--list-models: {self.model} is called by DSPy, which cannot list models")

    async def aclose(self) -> None:
        """DSPy closes its connections by itself."""


def request_of(model: str, messages: list[dict[str, str]], options: dict[str, Any]) -> Request:
    """The request that DSPy would make of a system message, user messages and options; absent and None options are
    left out. Raises TypeError for an option that DSPy does not know."""
    given = {name: value for name, value in options.items() if value is not None and name != "rollout_id"}
    schema = given.get("response_format", {}).get("json_schema")
    if schema is not None:
        # OpenAI's nested form; a request carries it flat.
        given["response_format"] = {"type": "json_schema", **schema}
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    spoken = tuple(Message.user(message["content"]) for message in messages if message["role"] == "user")
    return Request(model=model, system=system or None, messages=spoken, config=Config(**given))
