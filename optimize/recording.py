"""A model whose calls are recorded in a journal: made once, and answered from it ever after, so that an interrupted
compilation, run again, pays for nothing twice, and a candidate costs the stages that it changes alone.

What decides an answer is the endpoint, the model, the request (messages and options) and the rollout: DSPy's `rollout_id`,
by which optimizers ask for another answer to the same request. It changes the sampling seed that is sent, or a seeded
server would give the same answer again. An answer that ran into its token limit is recorded as what it is, and is
`Truncated` again when replayed: it was paid for. No other error is recorded.
"""

import asyncio
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import dspy
import orjson
from dspy.lm15 import Message, Request, Response, TextPart, ThinkingPart, Usage

from programs.asking.caller import seed_of
from programs.background_loop import run
from programs.errors import CallError, FatalError, Truncated
from programs.lms.engine import BlockingEngine, Shared, placed
from programs.lms.failures import EmptyAnswer, backend_error
from programs.lms.meter import UNCOUNTED, Meter, current_meter, metered
from programs.lms.resolve import Model
from programs.lms.wire import reasoning_of
from programs.redaction import encodable
from programs.run.journal import Journal

Line = dict[str, Any]
"""What the journal holds of a call."""

_TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens")


class CompileStopped(FatalError):
    """The compilation is being ended: nothing is asked any more. It can be resumed."""


class BudgetSpent(CompileStopped):
    """As many calls were paid for as were allowed. A resumed compilation replays them, and needs a higher limit."""


class Recorder(Shared):
    """The calls of one compilation, in the journal of its folder. All calls run on the background loop.
    `max_calls` limits the calls that are paid for, over all sessions; `at_once` those under way. `paid` sums calls, tokens
    and seconds by purpose, over all sessions; `under_way` are being made. `failure` is the first error after which nothing
    can be made of what follows: from then on whatever is not recorded raises it. DSPy's optimizers take errors for scores
    of 0, so look here when one has ended. Raises what `Journal` raises."""

    def __init__(self, folder: Path, *, max_calls: int | None = None, at_once: int = 16) -> None:
        self.journal = Journal(folder / "calls.journal.jsonl")
        self.failure: BaseException | None = None
        self.paid = defaultdict[str, Counter[str]](Counter)
        self.under_way = 0
        self._max_calls, self._places = max_calls, asyncio.Semaphore(at_once)
        self._flights: dict[str, asyncio.Task[Line]] = {}
        self._ended = asyncio.Event()
        for line in self.journal.lines():
            if line["kind"] == "call":
                self._count(line)

    @property
    def calls(self) -> int:
        """How many were paid for, over all sessions."""
        return sum(spend["calls"] for spend in self.paid.values())

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Remembers what is raised inside, and lets nothing begin when something was raised before."""
        self.check()
        try:
            yield
        except Exception as error:
            self.failure = self.failure or backend_error(error) or error
            raise

    def check(self) -> None:
        """Raises `failure`, if there is one, and `CompileStopped` after `stop`."""
        if self.failure is not None:
            raise self.failure
        self._check_open()

    def _check_open(self) -> None:
        if self._ended.is_set():
            raise CompileStopped("the compilation has been ended")

    async def answered(self, key: str, ask: Callable[[], Awaitable[Line]]) -> tuple[Line, bool]:
        """The recorded line of a call, and whether it is a replay; else the line which `ask` makes now. Whoever asks for it
        meanwhile waits; who gives up waiting does not end it."""
        self._check_open()
        if (flight := self._flights.get(key)) is not None:
            return await asyncio.shield(flight), True
        if (line := self.journal.latest("call", key)) is not None:
            return line, True
        flight = self._flights[key] = asyncio.ensure_future(self._made(key, ask))
        # Or asyncio complains of an error for which nobody waits any more.
        flight.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(flight), False

    async def _made(self, key: str, ask: Callable[[], Awaitable[Line]]) -> Line:
        try:
            async with self._places:
                self.check()
                if self._max_calls is not None and self.calls + self.under_way >= self._max_calls:
                    raise BudgetSpent(f"the budget of {self._max_calls} calls is spent")
                self.under_way += 1
                try:
                    with placed(lambda: nullcontext(self._aside)):
                        line = await ask()
                    self.journal.append("call", key, **line)
                    self._count(line)
                finally:
                    self.under_way -= 1
                return line
        except Exception as error:
            found = backend_error(error) or error
            if not isinstance(found, CallError | EmptyAnswer):
                self.failure = self.failure or found
            raise
        finally:
            del self._flights[key]

    async def _aside(self, waited_for: Awaitable[Any]) -> None:
        """How a call waits to be tried again: until the end at most, which it raises."""
        waits = [asyncio.ensure_future(waited_for), asyncio.ensure_future(self._ended.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._check_open()

    def _count(self, line: Line) -> None:
        tokens = {name: line[name] or 0 for name in _TOKENS}
        uncounted = line["prompt_tokens"] is None or line["completion_tokens"] is None
        self.paid[line["purpose"]].update(calls=1, uncounted=int(uncounted), seconds=line["seconds"], **tokens)

    def stop(self, seconds: float) -> None:
        """Lets nothing begin any more, no further try either, and waits so long for what is under way to be recorded."""

        async def stopped() -> None:
            self._ended.set()
            if self._flights:
                _, late = await asyncio.wait([*self._flights.values()], timeout=seconds)
                for flight in late:
                    flight.cancel()

        run(stopped())


def recorded(model: Model, recorder: Recorder, purpose: str) -> Model:
    """The same model with an LM whose every call goes through the recorder and is counted under `purpose`. The LM may be
    copied, also deeply, and given other options, as optimizers do. Its calls also raise the recorder's errors."""
    engine, known = RecordingEngine(recorder, model, purpose), model.lm.kwargs
    options = {"num_retries": 0, "cache": False, "callbacks": model.lm.callbacks}
    lm = RecordedLM(model.lm.model, engine=BlockingEngine(engine), async_engine=engine, **options)
    # DSPy names the limit of reasoning models otherwise, and takes neither name in its constructor.
    lm.kwargs = {name: known[name] for name in ("temperature", "max_tokens", "max_completion_tokens") if name in known}
    return replace(model, lm=lm)


class RecordedLM(dspy.LM):
    """`dspy.LM` that tells its engine which rollout is asked for: DSPy takes that out of a request."""

    def __call__(self, prompt: Any = None, *, messages: Any = None, **options: Any) -> Any:
        return super().__call__(prompt, messages=messages, **self._named(options))

    async def acall(self, prompt: Any = None, *, messages: Any = None, **options: Any) -> Any:
        return await super().acall(prompt, messages=messages, **self._named(options))

    def _named(self, options: dict[str, Any]) -> dict[str, Any]:
        rollout = {**self.kwargs, **options}.get("rollout_id")
        return options if rollout is None else {**options, "metadata": {"rollout": str(rollout)}}


class RecordingEngine(Shared):
    """Answers from the recorder, or by the model's own engine."""

    def __init__(self, recorder: Recorder, model: Model, purpose: str) -> None:
        self._recorder, self._model, self._purpose = recorder, model, purpose
        self._schema_refused = False
        self.supported_params = frozenset(model.engine.supported_params)

    @property
    def supports_response_schema(self) -> bool:
        """As far as answers or recorded ones tell. The wording of prompts depends on it, so a replay has to learn it at
        the same place."""
        return bool(self._model.engine.supports_response_schema) and not self._schema_refused

    async def complete(self, request: Request) -> Response:
        """The recorded answer, which costs nothing, or one that is recorded now. Raises `Truncated` where it was."""
        extensions = dict(request.config.extensions or {})
        rollout = extensions.pop("metadata", {}).get("rollout")
        request = replace(request, config=replace(request.config, extensions=extensions or None))
        parts = orjson.dumps([self._model.endpoint, self._model.name, request, rollout], option=orjson.OPT_SORT_KEYS)
        key = hashlib.blake2b(parts, digest_size=16).hexdigest()
        if (seed := request.config.seed) is not None and rollout is not None:
            request = replace(request, config=replace(request.config, seed=seed_of(rollout, seed, 0)))
        line, replayed = await self._recorder.answered(key, lambda: self._asked(request))
        self._schema_refused = self._schema_refused or (replayed and line["schema_refused"])
        if line["text"] is None:
            raise Truncated(line["error"])
        thought = [ThinkingPart(text=line["reasoning"])] if line["reasoning"] else []
        message, free = Message.assistant([*thought, TextPart(text=line["text"])]), Usage(0, 0)
        response = Response(None, request.model, message, line["finish_reason"], free)
        if replayed:
            current_meter().add_answer(response)
        return response

    async def _asked(self, request: Request) -> Line:
        """The line of a call that is made now; whoever meters around it counts it too. Raises `EmptyAnswer`."""
        started, usage = time.monotonic(), None
        answer = {"text": None, "reasoning": "", "finish_reason": "length", "error": None}
        with metered() as meter:
            try:
                response = await self._model.engine.complete(request)
            except Truncated as error:
                answer["error"] = str(error)
            else:
                usage, text = response.usage, encodable(response.text or "")
                if not text.strip():
                    raise EmptyAnswer("empty answer")
                thought = encodable(reasoning_of(response))
                answer |= {"text": text, "reasoning": thought, "finish_reason": response.finish_reason}
        return {
            "purpose": self._purpose,
            "endpoint": self._model.endpoint,
            "model": self._model.name,
            "seconds": round(time.monotonic() - started, 3),
            "schema_refused": not self.supports_response_schema,
            **answer,
            **_tokens(meter, usage),
        }


def _tokens(meter: Meter, usage: Usage | None) -> dict[str, int | None]:
    """Those that were metered, failed tries of the same call too, or those that DSPy tells of a call that it made itself.
    None is what no server counted; no prompt has zero tokens."""
    if not meter.requests and usage is not None:
        counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)
        return dict(zip(_TOKENS, counts, strict=True))
    spent = meter.spent if meter.spent.prompt_tokens else UNCOUNTED
    return {name: getattr(spent, name) for name in _TOKENS}
