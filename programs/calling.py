"""Asking a stage of a model: the tries of an ask, with their cost, over DSPy's predictors.

The one place where DSPy is called. `Caller.answer` is for the optimizers' synchronous calls, `Caller.aanswer` for
everything else; both send the same requests and read the same replies.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, cast

import dspy
from dspy.utils.exceptions import AdapterParseError

from programs.errors import BackendError, CallError, FatalError, TransientError
from programs.gate import RunStopped
from programs.lms.dspy_errors import backend_error
from programs.lms.meter import Meter, metered
from programs.lms.resolve import Model
from programs.plan import Ask, Reply, Spent
from programs.tries import Outcome, Try, TryRules, Unreadable, tries

ModelOf = Callable[[Ask], Model | None]


def configured(_ask: Ask) -> Model | None:
    """The model of every ask is the one that DSPy is configured with."""
    return None


class Caller:
    """Asks stages of models. `model_of` names the model of an ask; None leaves it to the predictor or DSPy's settings.
    `permit` is called before each call, and may raise `RunStopped`.

    Raises `FatalError` when no call can succeed; everything else becomes a `Reply`.
    """

    def __init__(
        self,
        model_of: ModelOf = configured,
        rules: TryRules | None = None,
        permit: Callable[[], None] = lambda: None,
    ) -> None:
        self._model_of = model_of
        self._permit = permit
        self._rules = rules or TryRules()

    def answer(self, ask: Ask) -> Reply:
        """Asks until the tries are used up or one is taken."""
        with closing(self._conversation(ask)) as conversation:
            arguments = next(conversation)
            while True:
                try:
                    outcome = _value(ask, ask.predict(**arguments))
                except Exception as error:
                    outcome = _outcome(error)
                try:
                    arguments = conversation.send(outcome)
                except StopIteration as end:
                    return cast(Reply, end.value)

    async def aanswer(self, ask: Ask) -> Reply:
        """As `answer`, without blocking."""
        with closing(self._conversation(ask)) as conversation:
            arguments = next(conversation)
            while True:
                try:
                    outcome = _value(ask, await ask.predict.acall(**arguments))
                except Exception as error:
                    outcome = _outcome(error)
                try:
                    arguments = conversation.send(outcome)
                except StopIteration as end:
                    return cast(Reply, end.value)

    def _conversation(self, ask: Ask) -> Generator[dict[str, Any], Outcome, Reply]:
        """Yields the arguments of each call to the predictor, receives its outcome, returns the reply with its cost."""
        model = self._model_of(ask)
        costs: list[Meter] = []
        steps = tries(ask, self._rules)
        step = next(steps)
        while True:
            try:
                self._permit()
            except RunStopped:
                if not costs:
                    raise
                # What the tries so far cost is kept, though no more of them may follow.
                return _priced(Reply(status="unread", problems=["the run was stopped"]), ask, model, costs)
            with metered() as meter:
                outcome = yield _arguments(step, model)
            costs.append(meter)
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return _priced(end.value, ask, model, costs)


def takes(model: Model, option: str) -> bool:
    """Whether a model may be sent this option of a call. DSPy's own routes get the temperature alone: what else they
    cannot map makes them take a slower road."""
    if option == "temperature":
        return model.takes_sampling
    return model.backend is not None and option in {"max_tokens", *model.backend.supported_params}


def _arguments(step: Try, model: Model | None) -> dict[str, Any]:
    if model is None:
        temperature = {key: value for key, value in step.config.items() if key == "temperature"}
        return {**step.inputs, "config": temperature}
    config = {key: value for key, value in step.config.items() if takes(model, key)}
    return {**step.inputs, "config": config, "lm": model.lm}


def _value(ask: Ask, prediction: dspy.Prediction) -> Any:
    return getattr(prediction, ask.output)


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, AdapterParseError):
        return Unreadable(_short(error))
    failure = backend_error(error)
    if isinstance(failure, CallError | TransientError):
        return failure
    if isinstance(failure, FatalError | BackendError):
        raise failure from error
    raise error


def _short(error: AdapterParseError) -> str:
    """What was wrong with the form, without the reply itself: its words do not belong into the next prompt."""
    message = str(getattr(error, "reason", "") or error)
    return message.splitlines()[0][:300]


def _priced(reply: Reply, ask: Ask, model: Model | None, costs: list[Meter]) -> Reply:
    lm = model.lm if model else ask.predict.lm or dspy.settings.lm
    last = costs[-1]
    takes_temperature = model is None or takes(model, "temperature")
    return reply.model_copy(
        update={
            "model": model.name if model else str(getattr(lm, "model", "")),
            "temperature": ask.temperature if takes_temperature else None,
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
