"""Asking a stage of a model: the tries of an ask with their cost, and the base classes of the stages' DSPy modules.

A stage is re-asked if its reply cannot be read or fails the stage's check: the model is shown what it wrote and why that
was rejected. Each truncated reply doubles the token limit, at most to MAX_TOKEN_GROWTH times the first. If the server fails
before the tries are used up, the stage stays unread, and a later run asks again.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import dspy
from dspy.utils.exceptions import AdapterParseError
from pydantic import BaseModel

from programs.asking.adapter import PassageFirstAdapter, UnreadableReply
from programs.asking.ask import Ask
from programs.asking.reply import RejectedTry, Reply, ReplyStatus
from programs.background_loop import run_in_background
from programs.errors import CallError, ContextTooLong, RunStopped, TransientError, Truncated
from programs.lms.failures import EmptyAnswer, backend_error, find_cause
from programs.lms.meter import metered
from programs.lms.resolve import Model

MAX_TOKEN_GROWTH = 4

MAX_SHOWN_CHARS = 20_000
"""A longer unreadable reply is not shown in a re-ask: it is far from what was asked for."""


@dataclass(frozen=True)
class ReaskRules:
    """How many tries a stage has (one is always made), and the run's seed and token limit for each call."""

    max_tries: int = 3
    seed: int = 0
    max_tokens: int = 4096


Outcome = BaseModel | UnreadableReply | CallError | TransientError
"""The result of one call: a value, a reply that cannot be read, or an error of the call or of the server."""

OnReply = Callable[[Reply], None]
"""Called with the reply of each call; its status is `open` if another try follows."""


@dataclass
class Caller:
    """Sends asks to models. `model_of` returns the model of an ask; None leaves the choice to the predictor or DSPy's
    settings, and `options` are then those that this LM accepts. The LM acquires a call's permit (`programs.lms.engine`).

    Raises `FatalError` if no call can succeed, and `RunStopped` if a permit is refused; other call errors become a `Reply`.
    With `strict`, it also raises the `TransientError` of a server that stays unavailable, as no later run will ask again.
    """

    model_of: Callable[[Ask], Model | None] = lambda _ask: None
    rules: ReaskRules = ReaskRules()
    options: frozenset[str] = frozenset({"temperature"})
    strict: bool = False

    async def answer(self, ask: Ask, before: Sequence[RejectedTry] = (), on_reply: OnReply | None = None) -> Reply:
        """Asks until a reply is accepted, a call fails or the tries are used up, which include those `before`. Calls
        `on_reply` with the reply of each call as it arrives."""
        model = self.model_of(ask)
        while True:
            reply = await self._try(ask, model, before)
            if on_reply is not None:
                on_reply(reply)
            if reply.status != "open":
                return reply
            before = reply.rejected

    def name_of(self, ask: Ask) -> str:
        """The name of the model that answers an ask."""
        model = self.model_of(ask)
        return model.name if model else str(getattr(ask.predict.lm or dspy.settings.lm, "model", ""))

    async def _try(self, ask: Ask, model: Model | None, before: Sequence[RejectedTry]) -> Reply:
        options = self.options if model is None else model.options
        number, max_tokens = len(before), max(self.rules.max_tokens, ask.min_tokens)
        tokens = max_tokens * min(2 ** sum(each.cut for each in before), MAX_TOKEN_GROWTH)
        config = _config(ask, seed_of(ask.key, self.rules.seed, number), tokens, options)
        with metered() as meter:
            outcome = await self._outcome(ask, _inputs_with_feedback(ask, before), config, model)
        spent = meter.spent.model_copy(update={"calls": 1, "reasks": min(number, 1)})
        values = [ask.read(each.output) for each in before if each.output is not None]
        values += [outcome] if isinstance(outcome, BaseModel) else []
        tried = _tried(ask, outcome, values)
        status: ReplyStatus
        problems = tried.problems
        if not problems:
            status = "ok"
        elif isinstance(outcome, BaseModel | UnreadableReply | Truncated) and number + 1 < self.rules.max_tries:
            status, tried.spent = "open", spent
        elif not values or isinstance(outcome, TransientError):
            status = "unread"
        else:
            # Some checks forgive a problem that recurs. As no try follows, check the last value as if it had come twice.
            forgiven = not ask.check([*values, values[-1]])
            status, problems = ("ok", []) if forgiven else ("unusable", ask.check(values))
        return Reply(
            status=status,
            output=values[-1].model_dump(mode="json") if status in ("ok", "unusable") else None,
            problems=problems,
            rejected=[*before] if status == "ok" else [*before, tried],
            fault=_fault_in(outcome) if status == "unread" else None,
            model=self.name_of(ask),
            temperature=ask.asked_temperature if "temperature" in options else None,
            reasoning=meter.reasoning or None,
            spent=spent,
        )

    async def _outcome(self, ask: Ask, inputs: dict[str, Any], config: dict[str, Any], model: Model | None) -> Outcome:
        lm = {} if model is None else {"lm": model.lm}
        try:
            outcome: BaseModel = getattr(await ask.predict.acall(**inputs, config=config, **lm), ask.output_field)
            return outcome
        except UnreadableReply as error:
            return error
        except AdapterParseError as error:
            # Another adapter than ours raised it.
            return UnreadableReply(
                error.signature, str(error.lm_response or ""), [str(error).splitlines()[0]], cut=False
            )
        except Exception as error:
            if (stopped := find_cause(error, RunStopped)) is not None:
                raise stopped from None
            if (failure := backend_error(error)) is None:
                raise
            # An empty answer is due to the prompt; it does not mean that the server is gone.
            gone = self.strict and isinstance(failure, TransientError) and not isinstance(failure, EmptyAnswer)
            if isinstance(failure, CallError | TransientError) and not gone:
                return failure
            raise failure from error


def _tried(ask: Ask, outcome: Outcome, values: list[Any]) -> RejectedTry:
    """The try with this outcome and its problems, empty if it is accepted. `values`: those received so far."""
    if isinstance(outcome, BaseModel):
        return RejectedTry(output=outcome.model_dump(mode="json"), problems=ask.check(values))
    if isinstance(outcome, UnreadableReply):
        text = outcome.lm_response or ""
        shown = text if len(text) <= MAX_SHOWN_CHARS else ""
        return RejectedTry(problems=outcome.faults, text=shown, cut=outcome.cut)
    return RejectedTry(problems=[str(outcome)], cut=isinstance(outcome, Truncated))


def _fault_in(outcome: Outcome) -> Literal["refused", "server"] | None:
    if isinstance(outcome, TransientError):
        # `EmptyAnswer` is a TransientError, but here the server is up.
        return None if isinstance(outcome, EmptyAnswer) else "server"
    refused = isinstance(outcome, CallError) and not isinstance(outcome, ContextTooLong | Truncated)
    return "refused" if refused else None


def _inputs_with_feedback(ask: Ask, before: Sequence[RejectedTry]) -> dict[str, Any]:
    """The ask's inputs, with the last try and why it was rejected. A try with the content or the problems of an earlier one
    is not shown: small models copy what they are shown, faults included."""
    earlier, feedback = ask.earlier, ask.feedback
    last = before[-1] if before else None
    if last is not None and (last.output, last.text) != (None, None):
        feedback = (*feedback, *last.problems)
        output = {ask.output_field: last.output}
        earlier = last.text or "" if last.output is None else json.dumps(output, ensure_ascii=False)
        if any(t.problems == last.problems or (t.output, t.text) == (last.output, last.text) for t in before[:-1]):
            earlier = ""
    problems = {problem for each in before for problem in each.problems}
    if dropped := {name for problem, name in ask.drop_inputs.items() if problem in problems}:
        # The try quotes the input that is now left out.
        earlier = ""
    retry_inputs = {"earlier": earlier, "feedback": "\n".join(f"- {reason}" for reason in feedback)}
    kept = {name: value for name, value in ask.inputs.items() if name not in dropped}
    return {**kept, **{name: text for name, text in retry_inputs.items() if text}}


def _config(ask: Ask, seed: int, tokens: int, options: frozenset[str]) -> dict[str, Any]:
    config = {"max_tokens": tokens, "seed": seed, "temperature": ask.asked_temperature}
    accepted = {name: value for name, value in config.items() if name in options and value is not None}
    if accepted.get("temperature") and "seed" not in accepted:
        # Without it, DSPy's cache would answer tries with the same prompt with one reply.
        accepted["rollout_id"] = seed
    # Otherwise the compiled program's temperature would be sent to a model that accepts none.
    overridden = "temperature" not in options and "temperature" in ask.predict.config
    return {**accepted, "temperature": None} if overridden else accepted


def seed_of(key: str, seed: int, number: int) -> int:
    """The sampling seed of a try, a 31-bit hash of the ask's key, the run's seed and the number of the try."""
    digest = hashlib.blake2b(f"{seed}/{key}/{number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF


class AsyncModule(dspy.Module):
    """A module with `aforward`; `forward` runs it on the background loop, so that optimizers, which call modules from
    threads, run the same code as tasks that await it."""

    def forward(self, *args: Any, **inputs: Any) -> dspy.Prediction:
        """Runs `aforward` and waits for its result."""
        return run_in_background(self.aforward(*args, **inputs))


class PredictorModule(AsyncModule):
    """A stage with one predictor, `predict`: takes the inputs of the class's `signature` and returns its outputs."""

    signature: ClassVar[type[dspy.Signature]]

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(self.signature)

    async def aforward(self, **fields: Any) -> dspy.Prediction:
        """Asks the LM that DSPy is configured with, once."""
        with with_default_adapter():
            return await self.predict.acall(**fields)


@contextmanager
def with_default_adapter() -> Iterator[None]:
    """A context in which DSPy uses its configured adapter, or else ours."""
    with dspy.context(adapter=dspy.settings.adapter or PassageFirstAdapter()):
        yield
