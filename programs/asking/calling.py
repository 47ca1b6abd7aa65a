"""Asking a stage of a model: the tries of an ask, with their cost, over DSPy's predictors.

The one place where DSPy is called.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, cast

import dspy
from dspy.utils.exceptions import AdapterParseError

from programs.asking.adapter import NotAsAsked
from programs.asking.plan import Ask, Reply, Spent
from programs.asking.tries import Outcome, Try, TryRules, Unreadable, tries
from programs.errors import BackendError, CallError, FatalError, RunStopped, TransientError
from programs.lms.direct import DirectLM
from programs.lms.dspy_errors import backend_error, causes
from programs.lms.faults import EmptyAnswer
from programs.lms.meter import Meter, metered
from programs.lms.place import held_place
from programs.lms.resolve import Model
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

    async def answer(self, ask: Ask) -> Reply:
        """Asks until the tries are used up or one is taken."""
        model = self._model_of(ask)
        options = self._options if model is None else options_of(model)
        costs: list[Meter] = []
        steps = tries(ask, self._rules)
        step = next(steps)
        while True:
            with metered() as meter, asking(ask):
                try:
                    outcome = await self._outcome(ask, _arguments(ask, step, model, options))
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

    async def _outcome(self, ask: Ask, arguments: dict[str, Any]) -> Outcome:
        try:
            async with _place_before(arguments.get("lm")):
                return cast(Outcome, getattr(await ask.predict.acall(**arguments), ask.output))
        except Exception as error:
            stopped = next((cause for cause in causes(error) if isinstance(cause, RunStopped)), None)
            if stopped is not None:
                raise stopped from None
            return _outcome(error, self._strict)


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
