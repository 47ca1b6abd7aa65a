"""Asking a stage of a model: the tries of an ask, with their cost, over DSPy's predictors.

The one place where DSPy is called. `Caller.answer` is for the optimizers' synchronous calls, `Caller.aanswer` for
everything else; both send the same requests and read the same replies.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, closing, nullcontext
from typing import Any, cast

import dspy
from dspy.utils.exceptions import AdapterParseError

from programs.asking.adapter import NotAsAsked
from programs.asking.plan import Ask, Reply, Spent
from programs.asking.tries import Outcome, Try, TryRules, Unreadable, tries
from programs.errors import BackendError, CallError, FatalError, TransientError
from programs.lms.direct import DirectLM
from programs.lms.dspy_errors import backend_error
from programs.lms.faults import EmptyAnswer
from programs.lms.meter import Meter, metered
from programs.lms.place import held_place
from programs.lms.resolve import Model
from programs.running.gate import RunStopped
from programs.telemetry.asked import asking

ModelOf = Callable[[Ask], Model | None]


def configured(_ask: Ask) -> Model | None:
    """The model of every ask is the one that DSPy is configured with."""
    return None


class Caller:
    """Asks stages of models. `model_of` names the model of an ask; None leaves it to the predictor or DSPy's settings,
    and `options` are then what that LM may be sent. Where calls need a place (`programs.lms.place`), each call holds one.

    Raises `FatalError` when no call can succeed, and `RunStopped` where a place is refused; everything else becomes a
    `Reply`. A `strict` one also raises the `TransientError` of a server that stays away, since its caller has no later run
    to ask again in.
    """

    def __init__(
        self,
        model_of: ModelOf = configured,
        rules: TryRules | None = None,
        options: frozenset[str] = frozenset({"temperature"}),
        strict: bool = False,
    ) -> None:
        self._model_of = model_of
        self._options = options
        self._strict = strict
        self._rules = rules or TryRules()

    def answer(self, ask: Ask) -> Reply:
        """Asks until the tries are used up or one is taken."""
        with closing(self._conversation(ask)) as conversation:
            arguments = next(conversation)
            while True:
                try:
                    outcome = _value(ask, ask.predict(**arguments))
                except Exception as error:
                    outcome = _outcome(error, self._strict)
                try:
                    arguments = conversation.send(outcome)
                except StopIteration as end:
                    return cast(Reply, end.value)

    async def aanswer(self, ask: Ask) -> Reply:
        """As `answer`, without blocking."""
        with closing(self._conversation(ask)) as conversation:
            arguments = next(conversation)
            while True:
                outcome: Outcome | RunStopped
                try:
                    async with _place_before(arguments.get("lm")):
                        outcome = _value(ask, await ask.predict.acall(**arguments))
                except Exception as error:
                    outcome = _stopped(error) or _outcome(error, self._strict)
                try:
                    arguments = conversation.send(outcome)
                except StopIteration as end:
                    return cast(Reply, end.value)

    def _conversation(self, ask: Ask) -> Generator[dict[str, Any], Outcome | RunStopped, Reply]:
        """Yields the arguments of each call to the predictor, receives its outcome, returns the reply with its cost."""
        model = self._model_of(ask)
        options = self._options if model is None else options_of(model)
        costs: list[Meter] = []
        steps = tries(ask, self._rules)
        step = next(steps)
        while True:
            try:
                with metered() as meter, asking(ask):
                    outcome = yield _arguments(ask, step, model, options)
                if isinstance(outcome, RunStopped):
                    raise outcome
            except RunStopped:
                if not costs:
                    raise
                # What the tries so far cost is kept, though no more of them may follow.
                return _priced(Reply(status="unread", problems=["the run was stopped"]), ask, model, options, costs)
            costs.append(meter)
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return _priced(end.value, ask, model, options, costs)


def takes(model: Model, option: str) -> bool:
    """Whether a model may be sent this option of a call. DSPy's own routes get the temperature alone: what else they
    cannot map makes them take a slower road."""
    if option == "temperature":
        return model.takes_sampling
    return model.backend is not None and option in {"max_tokens", *model.backend.supported_params}


def options_of(model: Model) -> frozenset[str]:
    """All options that a model may be sent."""
    return frozenset(option for option in ("temperature", "max_tokens", "seed") if takes(model, option))


def _arguments(ask: Ask, step: Try, model: Model | None, options: frozenset[str]) -> dict[str, Any]:
    config = {key: value for key, value in step.config.items() if key in options}
    if "temperature" not in options and "temperature" in ask.predict.config:
        # A compiled program's own would be sent otherwise.
        config["temperature"] = None
    return {**step.inputs, "config": config, **({} if model is None else {"lm": model.lm})}


def _place_before(lm: Any) -> AbstractAsyncContextManager[object]:
    """A place for the whole of a call, where it is one that takes none itself."""
    return nullcontext() if lm is None or isinstance(lm, DirectLM) else held_place()


def _stopped(error: BaseException | None) -> RunStopped | None:
    while error is not None and not isinstance(error, RunStopped):
        error = error.__cause__
    return error


def _value(ask: Ask, prediction: dspy.Prediction) -> Any:
    return getattr(prediction, ask.output)


def _outcome(error: Exception, strict: bool) -> Outcome:
    if isinstance(error, NotAsAsked):
        return Unreadable(error.faults, error.lm_response, error.cut)
    if isinstance(error, AdapterParseError):
        # Of another adapter than ours.
        return Unreadable([str(error).splitlines()[0]], str(error.lm_response or ""))
    failure = backend_error(error)
    # An empty answer says something about the prompt, not that the server is gone.
    if isinstance(failure, CallError | EmptyAnswer) or (isinstance(failure, TransientError) and not strict):
        return failure
    if isinstance(failure, FatalError | BackendError):
        raise failure from error
    raise error


def _priced(reply: Reply, ask: Ask, model: Model | None, options: frozenset[str], costs: list[Meter]) -> Reply:
    lm = model.lm if model else ask.predict.lm or dspy.settings.lm
    last = costs[-1]
    return reply.model_copy(
        update={
            "model": model.name if model else str(getattr(lm, "model", "")),
            "temperature": ask.asked_temperature if "temperature" in options else None,
            "reasoning": last.reasoning or None,
            "spent": sum((_spent(meter, number) for number, meter in enumerate(costs)), Spent()),
        }
    )


def _spent(meter: Meter, number: int) -> Spent:
    return Spent(
        calls=1,
        reasks=1 if number else 0,
        faults=dict(meter.faults),
        prompt_tokens=None if meter.uncounted else meter.prompt_tokens,
        completion_tokens=None if meter.uncounted else meter.completion_tokens,
        cached_tokens=None if meter.uncounted else meter.cached_tokens,
        seconds=round(meter.seconds, 3),
    )
