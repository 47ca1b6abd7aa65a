"""Counts what a run spends and keeps it within limits on calls, tokens and cost."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Sequence
from typing import Literal, NamedTuple

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.errors import UserError
from programs.inputs.chunking import CHARS_PER_TOKEN
from programs.option_groups import BudgetOptions

log = logging.getLogger("synthreasoner")

PROMPT_OVERHEAD = 450
"""Tokens of a prompt without its inputs: the mean over the stages of a trace."""


class Amount(NamedTuple):
    tokens: float = 0.0
    cost: float = 0.0

    def plus(self, other: "Amount", times: float = 1.0) -> "Amount":
        """`self + times * other`."""
        return Amount(self.tokens + times * other.tokens, self.cost + times * other.cost)


class Budget:
    """Counts what this run spends. `reached`: what had been spent, in words, when a limit was reached; None before.

    If tokens or cost are limited, each call in flight reserves the mean of earlier calls of the same stage and model. A
    call that does not fit beside these reservations waits for others to end, so that the excess over a limit does not grow
    with the number of calls in flight. Token counts that a server does not report are estimated from text length, for the
    limits only. `cost` is None without prices, and a lower bound unless `cost_is_whole` (no counts or prices were missing).
    """

    def __init__(self, options: BudgetOptions, max_tokens: int = 4096) -> None:
        self._options, self._max_tokens = options, max_tokens
        limits = {"--max-tokens-total": options.max_tokens_total, "--max-cost": options.max_cost}
        self._limit_options = [name for name, limit in limits.items() if limit is not None]
        self.calls = 0
        self.cost: float | None = 0.0 if options.prices else None
        self.cost_is_whole = True
        self.reached: str | None = None
        self._spent = self._reserved = Amount()
        self._reservations: dict[str, Amount] = {}
        self._spent_by_kind: dict[tuple[str, str], tuple[int, Amount]] = {}
        self._released = asyncio.Event()

    def take(self, ask: Ask, model: str) -> Literal["go", "wait", "stop"]:
        """Asks to make a call. "go": make it, it is counted; "wait": ask again after `wait_for_release`; "stop": a limit
        is `reached`, make no more calls."""
        if self.reached is None and self._options.max_calls is not None and self.calls >= self._options.max_calls:
            self.reached = f"{self.calls} calls"
        if self.reached is None and self._limit_options:
            calls, total = self._spent_by_kind.get((ask.stage, model), (0, Amount()))
            # The first replies to arrive are short, so one call of maximal size is averaged in.
            largest = self._amount(model, _estimate_prompt_tokens(ask), max(self._max_tokens, ask.min_tokens))
            expected = Amount().plus(total.plus(largest), 1 / (calls + 1))
            if self._reservations and self._exceeded(self._spent.plus(self._reserved).plus(expected)):
                return "wait"
            if not self._reservations:
                self.reached = self._exceeded(self._spent.plus(total, 1 / max(1, calls)))
            if self.reached is None:
                self._reservations[ask.key] = expected
                self._reserved = self._reserved.plus(expected)
        if self.reached is not None:
            return "stop"
        self.calls += 1
        return "go"

    def spend(self, ask: Ask, reply: Reply) -> None:
        self.release(ask)
        spent = reply.spent
        read, written = spent.prompt_tokens, spent.completion_tokens
        known = reply.model in self._options.prices
        if read is None or written is None:
            if self.cost_is_whole and self._limit_options:
                limits = " and ".join(self._limit_options)
                message = "%s does not report token counts: %s cannot be kept exactly, tokens are estimated from length"
                log.warning(message, reply.model, limits)
            read, written = _estimate_prompt_tokens(ask), _estimate_reply_tokens(reply)
            known = False
        amount = self._amount(reply.model, read, written, spent.cached_tokens or 0)
        key = (ask.stage, reply.model)
        self.cost_is_whole = self.cost_is_whole and known
        if known and self.cost is not None:
            self.cost += amount.cost
        calls, total = self._spent_by_kind.get(key, (0, Amount()))
        self._spent_by_kind[key] = calls + 1, total.plus(amount)
        self._spent = self._spent.plus(amount)

    def release(self, ask: Ask) -> None:
        expected = self._reservations.pop(ask.key, None)
        if expected is not None:
            self._reserved = self._reserved.plus(expected, -1) if self._reservations else Amount()
            self._released.set()
            self._released = asyncio.Event()

    def wait_for_release(self) -> Awaitable[object]:
        """Waits until one of the calls that are in flight now is released."""
        return self._released.wait()

    def _amount(self, model: str, read: int, written: int, cached: int = 0) -> Amount:
        price = self._options.prices.get(model)
        return Amount(read + written, price.cost(read, written, cached) if price else 0.0)

    def _exceeded(self, amount: Amount) -> str | None:
        """What was spent so far, in words, if `amount` reaches a limit; otherwise None."""
        max_tokens, max_cost = self._options.max_tokens_total, self._options.max_cost
        if max_tokens is not None and amount.tokens >= max_tokens:
            return f"{self._spent.tokens:.0f} tokens"
        if max_cost is not None and amount.cost >= max_cost:
            return f"a cost of {self._spent.cost:.4g}"
        return None


def _estimate_prompt_tokens(ask: Ask) -> int:
    return PROMPT_OVERHEAD + round(sum(len(str(value)) for value in ask.inputs.values()) / CHARS_PER_TOKEN)


def _estimate_reply_tokens(reply: Reply) -> int:
    text, output = None, reply.output
    if reply.rejected and reply.status != "ok":
        text, output = reply.rejected[-1].text, reply.rejected[-1].output
    content = json.dumps(output, ensure_ascii=False) if text is None else text
    return round((len(content) + len(reply.reasoning or "")) / CHARS_PER_TOKEN)


def check_prices(options: BudgetOptions, models: Sequence[str]) -> None:
    """Raises `UserError` if `--max-cost` is given and a model has no price."""
    unpriced = [name for name in models if name not in options.prices]
    if options.max_cost is not None and unpriced:
        raise UserError(f"--max-cost needs prices in the config file for {', '.join(unpriced)}")
