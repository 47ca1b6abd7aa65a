"""A model whose calls are recorded, so that an interrupted compilation, resumed, pays for none of its answers again.

    with Recorder(folder) as recorder:
        model = recorded(resolve("gpt41"), recorder, "student")
        with dspy.context(lm=model.lm): ...      # synchronously, in threads or in tasks

What decides an answer is the endpoint, the model, the request (messages and options) and the rollout: DSPy's
`rollout_id`, by which optimizers ask for another answer to the same request, and the number of the candidate where
`n` of them are asked for. Where a request carries a sampling seed, the rollout changes the seed that is sent, or a
seeded server would give the same answer again.

An answer that ran into its token limit is recorded as what it is, and is `Truncated` again when replayed: it was paid
for, and with the same limit and seed it would be cut again. No other error is recorded.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import dspy
from dspy.lm15 import Request, Response, Usage

from optimize.recording.call_journal import Call, Purpose
from optimize.recording.recorder import Flight, Recorder
from optimize.recording.replies import Rollout, answer_of, key_of, reseeded, response_of, tokens_of
from programs.errors import Truncated
from programs.lms.engine import BlockingEngine
from programs.lms.meter import current_meter, metered
from programs.lms.resolve import Model

_DEFAULTS = ("temperature", "max_tokens", "max_completion_tokens")


def recorded(model: Model, recorder: Recorder, purpose: Purpose) -> Model:
    """The same model with an LM whose every call goes through the recorder and is counted under `purpose`.

    The LM may be copied, also deeply, and given other options, as optimizers do. Besides what the model itself raises,
    its calls raise the recorder's errors, and a `CallError` for an answer that is not text.
    """
    engine = RecordingEngine(recorder, model, purpose)
    lm = RecordedLM(
        model.lm.model,
        engine=BlockingEngine(engine),
        async_engine=engine,
        num_retries=0,
        cache=False,
        callbacks=model.lm.callbacks,
    )
    # DSPy names the limit of reasoning models otherwise, and takes neither name in its constructor.
    lm.kwargs = {name: value for name, value in model.lm.kwargs.items() if name in _DEFAULTS}
    return replace(model, lm=lm)


@dataclass
class _Rolled:
    """Which rollout an LM's call is, and how many of its candidates were asked for so far."""

    rollout: Rollout = None
    candidates: int = 0


# DSPy takes the rollout out of a request before the engine sees it.
_rolled: ContextVar[_Rolled | None] = ContextVar("rolled", default=None)


class RecordedLM(dspy.LM):
    """`dspy.LM` that tells its engine which rollout is asked for."""

    def __call__(self, prompt: Any = None, *, messages: Any = None, **options: Any) -> Any:
        with self._as_rollout(options):
            return super().__call__(prompt, messages=messages, **options)

    async def acall(self, prompt: Any = None, *, messages: Any = None, **options: Any) -> Any:
        with self._as_rollout(options):
            return await super().acall(prompt, messages=messages, **options)

    @contextmanager
    def _as_rollout(self, options: dict[str, Any]) -> Iterator[None]:
        token = _rolled.set(_Rolled({**self.kwargs, **options}.get("rollout_id")))
        try:
            yield
        finally:
            _rolled.reset(token)


@dataclass(frozen=True)
class _Asked:
    """A request as it is sent, and the key that its answer is recorded by."""

    key: str
    request: Request
    rollout: Rollout


class RecordingEngine:
    """Answers from the recorder, or by the model's own engine. A copy of it is itself."""

    def __init__(self, recorder: Recorder, model: Model, purpose: Purpose) -> None:
        self._recorder = recorder
        self._name, self._endpoint = model.name, model.endpoint
        self._purpose = purpose
        self._engine = model.engine or NativeEngine(model.lm)
        self._schema_refused = False

    def __deepcopy__(self, memo: dict[int, Any]) -> "RecordingEngine":
        return self

    @property
    def supports_response_schema(self) -> bool:
        """Whether the server takes schemas, as far as its answers or the recorded ones tell. The wording of prompts
        depends on it, so a replay has to learn it at the same place."""
        return self._engine.supports_response_schema and not self._schema_refused

    @property
    def supported_params(self) -> frozenset[str]:
        """The options that the model takes."""
        return frozenset(self._engine.supported_params)

    async def complete(self, request: Request) -> Response:
        """The recorded answer, or one that is recorded now. Who else asks for it meanwhile waits, and holds no place."""
        asked = self._asked(request)
        while True:
            async with self._recorder.place():
                turn = self._recorder.turn(asked.key, self._purpose)
                if isinstance(turn, Call):
                    return self._replay(turn, asked)
                if isinstance(turn, Flight):
                    with self._asking(asked, turn) as land:
                        return land(await self._engine.complete(asked.request))
            await asyncio.wrap_future(turn)

    def _asked(self, request: Request) -> _Asked:
        """The request of the LM's call that is under way, as its next candidate."""
        rolled = _rolled.get() or _Rolled()
        candidate, rolled.candidates = rolled.candidates, rolled.candidates + 1
        key = key_of(self._endpoint, self._name, request, rolled.rollout, candidate)
        return _Asked(key, reseeded(request, rolled.rollout, candidate), rolled.rollout)

    def _replay(self, call: Call, asked: _Asked) -> Response:
        """A recorded answer, which costs nothing. Raises `Truncated` where it was."""
        self._schema_refused = self._schema_refused or call.schema_refused
        if call.text is None:
            current_meter().finish_reason = call.finish_reason
            raise Truncated(call.error or "")
        response = response_of(call, asked.request.model, Usage(input_tokens=0, output_tokens=0))
        current_meter().add_answer(response)
        return response

    @contextmanager
    def _asking(self, asked: _Asked, flight: Flight) -> Iterator[Callable[[Response], Response]]:
        """Meters the call that is made inside. What it gives records the answer, and gives it back."""
        started = time.monotonic()

        def record(usage: Usage | None, **answer: Any) -> Call:
            call = Call(
                key=asked.key,
                purpose=self._purpose,
                endpoint=self._endpoint,
                model=self._name,
                rollout=asked.rollout,
                attempts=meter.attempts,
                seconds=round(time.monotonic() - started, 3),
                schema_refused=not self._engine.supports_response_schema,
                **answer,
                **tokens_of(meter, usage),
            )
            self._recorder.keep(call)
            return call

        def land(response: Response) -> Response:
            call = record(response.usage, **answer_of(response))
            return response_of(call, asked.request.model, response.usage)

        with flight, metered() as meter:
            try:
                yield land
            except Truncated as error:
                record(None, text=None, finish_reason="length", error=str(error))
                raise


class NativeEngine:
    """An engine that hands requests to a `dspy.LM`, which has retries of its own. Raises DSPy's public errors."""

    def __init__(self, lm: dspy.LM) -> None:
        self._lm = lm

    @property
    def supports_response_schema(self) -> bool:
        """What DSPy knows of the model."""
        return bool(self._lm.supports_response_schema)

    @property
    def supported_params(self) -> frozenset[str]:
        """What DSPy knows of the model."""
        return frozenset(self._lm.supported_params)

    async def complete(self, request: Request) -> Response:
        """The LM's answer."""
        return await self._lm.acall(request=request)
