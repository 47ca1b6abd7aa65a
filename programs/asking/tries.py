"""The tries of one ask: what is sent next, given what came back.

What cannot be read, or fails the stage's check, is asked again: the model is shown what it wrote, and every reason why it
was not taken. An answer that stops in the middle is asked again with twice the tokens. After `limit` tries the stage is
unusable (read, but wrong) or unread.
A server that fails before the tries are used up leaves it unread, to be asked again by a later run.
"""

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from programs.asking.plan import Ask, Rejected, Reply
from programs.errors import CallError, ContextTooLong, TransientError, Truncated
from programs.lms.failures import EmptyAnswer

TOKEN_GROWTH_LIMIT = 4

LONGEST_EARLIER = 20_000
"""A longer reply than this was never what was asked for, and is not shown again."""

RETRY_INPUTS = ("earlier", "feedback")
"""The inputs of every stage that only a further try is given."""


@dataclass(frozen=True)
class Try:
    """One call to make: the predictor's inputs and its LM configuration."""

    inputs: dict[str, Any]
    config: dict[str, Any]


class Unreadable(Exception):
    """The model answered, but not in the form that was asked for: what it said, and each fault. `cut`: it stops in the
    middle, perhaps for want of tokens."""

    def __init__(self, faults: Sequence[str], said: str = "", cut: bool = False) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)
        self.said = said
        self.cut = cut


Outcome = BaseModel | Unreadable | CallError | TransientError


@dataclass(frozen=True)
class TryRules:
    """How often a stage is asked, and what every call carries."""

    limit: int = 3
    seed: int = 0
    max_tokens: int = 4096


def tries(ask: Ask, rules: TryRules) -> Generator[Try, Outcome, Reply]:
    """Yields what to send, receives the outcome, returns the reply (its cost is the caller's to add)."""
    values: list[Any] = []
    rejected: list[Rejected] = []
    earlier, feedback = ask.earlier, ask.feedback
    max_tokens = most = max(rules.max_tokens, ask.least_tokens)
    for number in range(rules.limit):
        outcome = yield Try(_inputs(ask, earlier, feedback), _config(ask, rules, number, max_tokens))
        if isinstance(outcome, BaseModel):
            values.append(outcome)
            problems = ask.check(values)
            if not problems:
                return Reply(status="ok", output=outcome.model_dump(mode="json"), rejected=rejected)
            rejected.append(Rejected(output=outcome.model_dump(mode="json"), problems=problems))
        else:
            problems = outcome.faults if isinstance(outcome, Unreadable) else [str(outcome)]
            rejected.append(Rejected(problems=problems))
            if isinstance(outcome, Truncated) or (isinstance(outcome, Unreadable) and outcome.cut):
                max_tokens = min(max_tokens * 2, most * TOKEN_GROWTH_LIMIT)
            elif isinstance(outcome, CallError | TransientError):
                break
        earlier, feedback = ask.earlier, ask.feedback
        if isinstance(outcome, BaseModel | Unreadable):
            earlier, feedback = _said(ask, outcome), (*ask.feedback, *problems)
    if values and not isinstance(outcome, TransientError):
        return Reply(
            status="unusable",
            output=values[-1].model_dump(mode="json"),
            problems=ask.check(values),
            rejected=rejected,
        )
    return Reply(status="unread", problems=rejected[-1].problems, rejected=rejected, fault=_fault_in(outcome))


def _fault_in(outcome: Outcome) -> Literal["refused", "server"] | None:
    if isinstance(outcome, TransientError):
        # An empty answer is one: the server is there.
        return None if isinstance(outcome, EmptyAnswer) else "server"
    refused = isinstance(outcome, CallError) and not isinstance(outcome, ContextTooLong | Truncated)
    return "refused" if refused else None


def _said(ask: Ask, outcome: BaseModel | Unreadable) -> str:
    """What a model wrote, to be shown to it again."""
    if isinstance(outcome, BaseModel):
        return json.dumps({ask.output: outcome.model_dump(mode="json")}, ensure_ascii=False)
    return outcome.said if len(outcome.said) <= LONGEST_EARLIER else ""


def _inputs(ask: Ask, earlier: str, feedback: Sequence[str]) -> dict[str, Any]:
    more = {"earlier": earlier, "feedback": "\n".join(f"- {reason}" for reason in feedback)}
    return {**ask.inputs, **{name: text for name, text in more.items() if text}}


def _config(ask: Ask, rules: TryRules, number: int, max_tokens: int) -> dict[str, Any]:
    config: dict[str, Any] = {"max_tokens": max_tokens, "seed": seed_of(ask.key, rules.seed, number)}
    if ask.asked_temperature is not None:
        config["temperature"] = ask.asked_temperature
    return config


def seed_of(key: str, seed: int, number: int) -> int:
    """The sampling seed of a try: fixed by what is asked, the run's seed and the number of the try. 31 bits."""
    digest = hashlib.blake2b(f"{seed}/{key}/{number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF
