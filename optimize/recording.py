"""Models whose calls are recorded in a journal. Each call is made once and then answered from the journal, so that an
interrupted compilation that is run again pays for nothing twice, and a candidate costs only the stages that it changes.

A call is identified by the endpoint, the model, the request (messages and options) and the rollout: DSPy's `rollout_id`,
with which another answer to the same request is asked for. A truncated answer was paid for, so it is recorded too, and
raises `Truncated` again when it is replayed. No other error is recorded.
"""

import asyncio
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dspy
import orjson
from dspy.lm15 import Message, Request, Response, TextPart, ThinkingPart, Usage

from programs.background_loop import run_in_background
from programs.errors import CallError, FatalError, RunStopped, Truncated
from programs.lms.engine import BlockingEngine, Shared, limited_by
from programs.lms.failures import EmptyAnswer, backend_error
from programs.lms.meter import UNCOUNTED, current_meter, metered
from programs.lms.resolve import Model
from programs.lms.retry import ReleaseWhile
from programs.lms.wire import reasoning_of
from programs.run.gate import Gate
from programs.run.journal import Journal

Line = dict[str, Any]
"""The journal's line for a call."""

_TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens")


class BudgetSpent(FatalError):
    """The limit of paid calls is reached. A resumed compilation replays these calls, and needs a higher limit."""


class Recorder(Shared):
    """The calls of one compilation, in the journal of its folder; all are made on the background loop. `max_calls` limits
    the paid calls over all sessions, `at_once` the calls in flight. `paid` sums calls, tokens and seconds by purpose, over
    all sessions. `failure` is the first error that makes it useless to continue; any further call raises it. DSPy's
    optimizers turn errors into scores of 0, so check it after each. `without_schemas` are the endpoints and names of models
    that are known to refuse schemas. Raises as `Journal` does."""

    def __init__(self, folder: Path, *, max_calls: int | None = None, at_once: int = 16) -> None:
        self.journal = Journal(folder / "calls.journal.jsonl")
        self.failure: BaseException | None = None
        self.paid = defaultdict[str, Counter[str]](Counter)
        self.gate = Gate(at_once)
        self.without_schemas = set[tuple[str, str]]()
        self._max_calls = max_calls
        self._pending: dict[str, asyncio.Task[Line]] = {}
        self._started = set[str]()
        for line in self.journal.lines():
            if line["kind"] == "call":
                self._count(line)

    @property
    def calls(self) -> int:
        """The number of paid calls, over all sessions."""
        return sum(spend["calls"] for spend in self.paid.values())

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Raises an earlier failure instead of running the block, and remembers an error that the block raises."""
        self.check()
        try:
            yield
        except Exception as error:
            self.failure = self.failure or backend_error(error) or error
            raise

    def check(self) -> None:
        """Raises `failure` if there is one."""
        if self.failure is not None:
            raise self.failure

    async def answered(self, key: str, ask: Callable[[], Awaitable[Line]]) -> tuple[Line, bool]:
        """Returns the recorded line of a call and True; or makes the call with `ask` and returns its line and False. Others
        who ask for the same call meanwhile wait for it, as for a replay. Cancelling a caller does not cancel the call.
        Raises `failure` if there is one, and `RunStopped` after `stop`."""
        self.check()
        if self.gate.closed:
            raise RunStopped
        if (pending := self._pending.get(key)) is not None:
            return await asyncio.shield(pending), True
        if (line := self.journal.latest("call", key)) is not None:
            return line, True
        call = self._pending[key] = asyncio.ensure_future(self._make_call(key, ask))
        # Retrieve the error: asyncio would complain if nobody waits for it any more.
        call.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(call), False

    async def _make_call(self, key: str, ask: Callable[[], Awaitable[Line]]) -> Line:
        try:
            with limited_by(lambda: self._permit(key)):
                line = await ask()
            self.journal.append("call", key, **line)
            self._count(line)
            return line
        except Exception as error:
            failure = backend_error(error) or error
            if not isinstance(failure, CallError | EmptyAnswer):
                self.failure = self.failure or failure
                self.gate.close()
            raise
        finally:
            self._started.discard(key)
            del self._pending[key]

    @asynccontextmanager
    async def _permit(self, key: str) -> AsyncIterator[ReleaseWhile]:
        """A permit for a call, which counts towards the budget from then on: one that still waits has not been paid for.
        Raises `failure` if there is one, and `BudgetSpent`."""
        async with self.gate.permit(0) as release_while:
            self.check()
            if self._max_calls is not None and self.calls + len(self._started) >= self._max_calls:
                raise BudgetSpent(f"the budget of {self._max_calls} calls is spent")
            self._started.add(key)
            yield release_while

    def _count(self, line: Line) -> None:
        tokens = {name: line[name] or 0 for name in _TOKENS}
        uncounted = line["prompt_tokens"] is None or line["completion_tokens"] is None
        self.paid[line["purpose"]].update(calls=1, uncounted=int(uncounted), seconds=line["seconds"], **tokens)

    def stop(self, seconds: float) -> None:
        """Lets no call or retry start any more. Calls in flight have `seconds` to be recorded, and are then cancelled."""

        async def drain() -> None:
            self.gate.close()
            if self._pending:
                _, unfinished = await asyncio.wait([*self._pending.values()], timeout=seconds)
                for call in unfinished:
                    call.cancel()

        run_in_background(drain())


def recorded(model: Model, recorder: Recorder, purpose: str) -> Model:
    """The same model with an LM whose calls all go through the recorder, counted under `purpose`. Optimizers may copy the
    LM, also deeply, and change its options. Its calls also raise the recorder's errors."""
    engine, given = RecordingEngine(recorder, model, purpose), model.lm.kwargs
    options = {"num_retries": 0, "cache": False, "callbacks": model.lm.callbacks}
    lm = RecordedLM(model.lm.model, engine=BlockingEngine(engine), async_engine=engine, **options)
    lm.kwargs = {name: given[name] for name in ("temperature", "max_tokens") if name in given}
    return replace(model, lm=lm)


class RecordedLM(dspy.LM):
    """A `dspy.LM` that tells its engine the rollout, which DSPy removes from requests."""

    def __call__(self, prompt: Any = None, *, messages: Any = None, **options: Any) -> Any:
        return super().__call__(prompt, messages=messages, **self._with_rollout(options))

    async def acall(self, prompt: Any = None, *, messages: Any = None, **options: Any) -> Any:
        return await super().acall(prompt, messages=messages, **self._with_rollout(options))

    def _with_rollout(self, options: dict[str, Any]) -> dict[str, Any]:
        rollout = {**self.kwargs, **options}.get("rollout_id")
        return options if rollout is None else {**options, "metadata": {"rollout": str(rollout)}}


class RecordingEngine(Shared):
    """Answers from the recorder, or else by the model's own engine."""

    def __init__(self, recorder: Recorder, model: Model, purpose: str) -> None:
        self._recorder, self._model, self._purpose = recorder, model, purpose
        self.supported_params = frozenset(model.engine.supported_params)

    @property
    def supports_response_schema(self) -> bool:
        """False once an answer of the model, live or recorded, shows otherwise, whatever its purpose. Prompts depend on it,
        so replays must learn it too."""
        known = (self._model.endpoint, self._model.name) in self._recorder.without_schemas
        return bool(self._model.engine.supports_response_schema) and not known

    async def complete(self, request: Request) -> Response:
        """The recorded answer, which costs nothing, or a new one, which is recorded. Raises `Truncated`."""
        extensions = dict(request.config.extensions or {})
        rollout = extensions.pop("metadata", {}).get("rollout")
        request = replace(request, config=replace(request.config, extensions=extensions or None))
        parts = orjson.dumps([self._model.endpoint, self._model.name, request, rollout], option=orjson.OPT_SORT_KEYS)
        key = hashlib.blake2b(parts, digest_size=16).hexdigest()
        line, replayed = await self._recorder.answered(key, lambda: self._call(request))
        if line["schema_refused"]:
            self._recorder.without_schemas.add((self._model.endpoint, self._model.name))
        if line["text"] is None:
            raise Truncated(line["error"])
        thought = [ThinkingPart(text=line["reasoning"])] if line["reasoning"] else []
        message, no_usage = Message.assistant([*thought, TextPart(text=line["text"])]), Usage(0, 0)
        response = Response(None, request.model, message, line["finish_reason"], no_usage)
        if replayed:
            current_meter().add_answer(response)
        return response

    async def _call(self, request: Request) -> Line:
        """Makes the call and returns its line. Meters around it count the call too, including failed tries."""
        started = time.monotonic()
        answer = {"text": None, "reasoning": "", "finish_reason": "length", "error": None}
        with metered() as meter:
            try:
                response = await self._model.engine.complete(request)
            except Truncated as error:
                answer["error"] = str(error)
            else:
                said = {"text": response.text, "reasoning": reasoning_of(response)}
                answer |= {**said, "finish_reason": response.finish_reason}
        # No prompt has zero tokens, so the server did not count them.
        spent = meter.spent if meter.spent.prompt_tokens else UNCOUNTED
        return {
            "purpose": self._purpose,
            "endpoint": self._model.endpoint,
            "model": self._model.name,
            "seconds": round(time.monotonic() - started, 3),
            "schema_refused": not self.supports_response_schema,
            **answer,
            **{name: getattr(spent, name) for name in _TOKENS},
        }
