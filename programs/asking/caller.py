"""Asking a stage of a model: the tries of an ask with their cost, and modules that are asked as DSPy asks.

What cannot be read, or fails the stage's check, is asked again: the model is shown what it wrote, and every reason why it
was not taken. An answer that stops in the middle is asked again with twice the tokens. A server that fails before the tries
are used up leaves the stage unread, to be asked again by a later run.
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

from programs.asking.adapter import NotAsAsked, PassageFirstAdapter
from programs.asking.ask import Ask
from programs.asking.reply import Rejected, Reply, ReplyStatus
from programs.background_loop import run
from programs.errors import CallError, ContextTooLong, RunStopped, TransientError, Truncated
from programs.lms.failures import EmptyAnswer, backend_error, cause_of
from programs.lms.meter import metered
from programs.lms.resolve import Model

TOKEN_GROWTH_LIMIT = 4

LONGEST_EARLIER = 20_000
"""A longer reply than this was never what was asked for, and is not shown again."""


@dataclass(frozen=True)
class TryRules:
    """How often a stage is asked, at least once, and what every call carries."""

    limit: int = 3
    seed: int = 0
    max_tokens: int = 4096


Outcome = BaseModel | NotAsAsked | CallError | TransientError
"""What one call came to: a value, a reply that cannot be read, or an error of the call or of the server."""

OnReply = Callable[[Reply], None]
"""Is told of a call's reply: an open one where another try follows."""


@dataclass
class Caller:
    """Asks stages of models. `model_of` names the model of an ask; None leaves it to the predictor or DSPy's settings,
    and `options` are then what that LM may be sent. Where calls need a place (`programs.lms.engine`), its LM takes one.

    Raises `FatalError` when no call can succeed, and `RunStopped` where a place is refused; everything else becomes a
    `Reply`. A `strict` one also raises the `TransientError` of a server that stays away, since its caller has no later run
    to ask again in.
    """

    model_of: Callable[[Ask], Model | None] = lambda _ask: None
    rules: TryRules = TryRules()
    options: frozenset[str] = frozenset({"temperature"})
    strict: bool = False

    async def answer(self, ask: Ask, before: Sequence[Rejected] = (), on_reply: OnReply | None = None) -> Reply:
        """Asks until the tries are used up or one is taken, from where the tries `before` left off. `on_reply` is told of
        each call as its reply comes."""
        model = self.model_of(ask)
        while True:
            reply = await self._try(ask, model, before)
            if on_reply is not None:
                on_reply(reply)
            if reply.status != "open":
                return reply
            before = reply.rejected

    def name_of(self, ask: Ask) -> str:
        """The model that answers an ask."""
        model = self.model_of(ask)
        return model.name if model else str(getattr(ask.predict.lm or dspy.settings.lm, "model", ""))

    async def _try(self, ask: Ask, model: Model | None, before: Sequence[Rejected]) -> Reply:
        """One call, after those `before`."""
        options = self.options if model is None else model.options
        number, most = len(before), max(self.rules.max_tokens, ask.least_tokens)
        tokens = most * min(2 ** sum(each.cut for each in before), TOKEN_GROWTH_LIMIT)
        config = _config(ask, seed_of(ask.key, self.rules.seed, number), tokens, options)
        with metered() as meter:
            outcome = await self._outcome(ask, _inputs(ask, before), config, model)
        spent = meter.spent.model_copy(update={"calls": 1, "reasks": min(number, 1)})
        values = [ask.read(each.output) for each in before if each.output is not None]
        failed = False
        if isinstance(outcome, BaseModel):
            values.append(outcome)
            tried = Rejected(output=outcome.model_dump(mode="json"), problems=ask.check(values))
        elif isinstance(outcome, NotAsAsked):
            text = outcome.lm_response or ""
            shown = text if len(text) <= LONGEST_EARLIER else ""
            tried = Rejected(problems=outcome.faults, text=shown, cut=outcome.cut)
        else:
            failed = not isinstance(outcome, Truncated)
            tried = Rejected(problems=[str(outcome)], cut=not failed)
        status: ReplyStatus
        problems = tried.problems
        if not problems:
            status = "ok"
        elif not failed and number + 1 < self.rules.limit:
            status, tried.spent = "open", spent
        elif not values or isinstance(outcome, TransientError):
            status = "unread"
        else:
            # Some faults are let pass the second time, also where nothing else came then.
            passes = not ask.check([*values, values[-1]])
            status, problems = ("ok", []) if passes else ("unusable", ask.check(values))
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
            outcome: BaseModel = getattr(await ask.predict.acall(**inputs, config=config, **lm), ask.output)
            return outcome
        except NotAsAsked as error:
            return error
        except AdapterParseError as error:
            # Of another adapter than ours.
            return NotAsAsked(error.signature, str(error.lm_response or ""), [str(error).splitlines()[0]], cut=False)
        except Exception as error:
            if (stopped := cause_of(error, RunStopped)) is not None:
                raise stopped from None
            if (failure := backend_error(error)) is None:
                raise
            # An empty answer says something about the prompt, not that the server is gone.
            gone = self.strict and isinstance(failure, TransientError) and not isinstance(failure, EmptyAnswer)
            if isinstance(failure, CallError | TransientError) and not gone:
                return failure
            raise failure from error


def _fault_in(outcome: Outcome) -> Literal["refused", "server"] | None:
    if isinstance(outcome, TransientError):
        # An empty answer is one: the server is there.
        return None if isinstance(outcome, EmptyAnswer) else "server"
    refused = isinstance(outcome, CallError) and not isinstance(outcome, ContextTooLong | Truncated)
    return "refused" if refused else None


def _inputs(ask: Ask, before: Sequence[Rejected]) -> dict[str, Any]:
    """The ask's inputs, with the last try and why it was not taken. One that is as a try before it, or failed as
    one, is not shown: small models copy what they are shown, faults and all."""
    earlier, feedback = ask.earlier, ask.feedback
    last = before[-1] if before else None
    if last is not None and (last.output, last.text) != (None, None):
        feedback = (*feedback, *last.problems)
        earlier = last.text or "" if last.output is None else json.dumps({ask.output: last.output}, ensure_ascii=False)
        if any(
            each.problems == last.problems or (each.output, each.text) == (last.output, last.text)
            for each in before[:-1]
        ):
            earlier = ""
    problems = {problem for each in before for problem in each.problems}
    if gone := {name for problem, name in ask.taken_away.items() if problem in problems}:
        # The try holds what it was not to be taken from.
        earlier = ""
    more = {"earlier": earlier, "feedback": "\n".join(f"- {reason}" for reason in feedback)}
    kept = {name: value for name, value in ask.inputs.items() if name not in gone}
    return {**kept, **{name: text for name, text in more.items() if text}}


def _config(ask: Ask, seed: int, tokens: int, options: frozenset[str]) -> dict[str, Any]:
    config = {"max_tokens": tokens, "seed": seed, "temperature": ask.asked_temperature}
    taken = {name: value for name, value in config.items() if name in options and value is not None}
    if taken.get("temperature") and "seed" not in taken:
        # Tries with the same prompt would else be one reply: DSPy's cache has one for each number.
        taken["rollout_id"] = seed
    # A compiled program's own temperature would be sent to a model that takes none.
    overridden = "temperature" not in options and "temperature" in ask.predict.config
    return {**taken, "temperature": None} if overridden else taken


def seed_of(key: str, seed: int, number: int) -> int:
    """The sampling seed of a try: fixed by what is asked, the run's seed and the number of the try. 31 bits."""
    digest = hashlib.blake2b(f"{seed}/{key}/{number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF


class AwaitedModule(dspy.Module):
    """A module that has `aforward`; `forward` runs it on the background loop, so that what optimizers call from threads is
    what tasks await."""

    def forward(self, *args: Any, **inputs: Any) -> dspy.Prediction:
        """As `aforward`, without awaiting."""
        return run(self.aforward(*args, **inputs))


class PredictorModule(AwaitedModule):
    """A stage of one predictor, `predict`: it takes the fields of the class's `signature`, and gives its outputs."""

    signature: ClassVar[type[dspy.Signature]]

    def __init__(self) -> None:
        super().__init__()
        self.predict = dspy.Predict(self.signature)

    async def aforward(self, **fields: Any) -> dspy.Prediction:
        """What the LM that DSPy is configured with says, asked once."""
        with adapted():
            return await self.predict.acall(**fields)


@contextmanager
def adapted() -> Iterator[None]:
    """Inside, the adapter is the one that DSPy is configured with, or else ours."""
    with dspy.context(adapter=dspy.settings.adapter or PassageFirstAdapter()):
        yield
