"""What a run spends, and its limits: calls, tokens and cost."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Sequence
from typing import Literal, NamedTuple

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.errors import UserError
from programs.inputs.cutting import CHARS_PER_TOKEN
from programs.option_groups import BudgetOptions

log = logging.getLogger("synthreasoner")

PROMPT_OVERHEAD = 450
"""Tokens of a prompt apart from its inputs: the mean over the stages of a trace."""


class Amount(NamedTuple):
    tokens: float = 0.0
    cost: float = 0.0

    def plus(self, other: "Amount", times: float = 1.0) -> "Amount":
        """The sum with so many times the other."""
        return Amount(self.tokens + times * other.tokens, self.cost + times * other.cost)


class Budget:
    """Counts what this run spends, and says when a limit is `reached`.

    For each call under way the tokens and the cost that such calls took so far are set aside, and a call that does not fit
    beside them waits for them to end; so what is spent on top of a limit does not grow with the calls in flight. What a
    server does not count is estimated by length, as far as limits go. `cost` is None without prices. It is the least:
    `cost_is_whole` is False once some reply was not counted, or its model has no price.
    """

    def __init__(self, options: BudgetOptions, max_tokens: int = 4096) -> None:
        self._options, self._max_tokens = options, max_tokens
        limits = {"--max-tokens-total": options.max_tokens_total, "--max-cost": options.max_cost}
        self._limited = [name for name, most in limits.items() if most is not None]
        self.calls = 0
        self.cost: float | None = 0.0 if options.prices else None
        self.cost_is_whole = True
        self.reached: str | None = None
        self._spent = self._set_aside = Amount()
        self._under_way: dict[str, Amount] = {}
        self._taken: dict[tuple[str, str], tuple[int, Amount]] = {}
        self._released = asyncio.Event()

    def take(self, ask: Ask, model: str) -> Literal["go", "wait", "stop"]:
        """Whether one more call may be made now, which is then counted; it has to wait until others are `released`; or a
        limit is `reached`, and none is made any more."""
        if self.reached is None and self._options.max_calls is not None and self.calls >= self._options.max_calls:
            self.reached = f"{self.calls} calls"
        if self.reached is None and self._limited:
            calls, total = self._taken.get((ask.account, model), (0, Amount()))
            # Who answers first answers in few words: the most that a call may take counts as one of them.
            most = self._amount(model, _read_by(ask), max(self._max_tokens, ask.least_tokens))
            expected = Amount().plus(total.plus(most), 1 / (calls + 1))
            if self._under_way and self._too_much(self._spent.plus(self._set_aside).plus(expected)):
                return "wait"
            if not self._under_way:
                self.reached = self._too_much(self._spent.plus(total, 1 / max(1, calls)))
            if self.reached is None:
                self._under_way[ask.key], self._set_aside = expected, self._set_aside.plus(expected)
        if self.reached is not None:
            return "stop"
        self.calls += 1
        return "go"

    def spend(self, ask: Ask, reply: Reply) -> None:
        self.release(ask)
        spent = reply.spent
        read, written, known = spent.prompt_tokens, spent.completion_tokens, reply.model in self._options.prices
        if read is None or written is None:
            if self.cost_is_whole and self._limited:
                limits = " and ".join(self._limited)
                said = f"{reply.model} does not say how many tokens a reply took: {limits} cannot be kept exactly"
                log.warning("%s, and what it takes is estimated by its length", said)
            read, written, known = _read_by(ask), _tokens_in(reply), False
        amount, key = self._amount(reply.model, read, written, spent.cached_tokens or 0), (ask.account, reply.model)
        self.cost_is_whole = self.cost_is_whole and known
        if known and self.cost is not None:
            self.cost += amount.cost
        calls, total = self._taken.get(key, (0, Amount()))
        self._taken[key] = calls + 1, total.plus(amount)
        self._spent = self._spent.plus(amount)

    def release(self, ask: Ask) -> None:
        expected = self._under_way.pop(ask.key, None)
        if expected is not None:
            self._set_aside = self._set_aside.plus(expected, -1) if self._under_way else Amount()
            self._released.set()
            self._released = asyncio.Event()

    def released(self) -> Awaitable[object]:
        """To be awaited until some call that is under way now no longer is."""
        return self._released.wait()

    def _amount(self, model: str, read: int, written: int, cached: int = 0) -> Amount:
        price = self._options.prices.get(model)
        return Amount(read + written, price.of(read, written, cached) if price else 0.0)

    def _too_much(self, amount: Amount) -> str | None:
        """The limit that an amount goes beyond."""
        most_tokens, most_cost = self._options.max_tokens_total, self._options.max_cost
        if most_tokens is not None and amount.tokens >= most_tokens:
            return f"{self._spent.tokens:.0f} tokens"
        if most_cost is not None and amount.cost >= most_cost:
            return f"a cost of {self._spent.cost:.4g}"
        return None


def _read_by(ask: Ask) -> int:
    """About how many tokens a prompt has."""
    return PROMPT_OVERHEAD + round(sum(len(str(value)) for value in ask.inputs.values()) / CHARS_PER_TOKEN)


def _tokens_in(reply: Reply) -> int:
    text, output = None, reply.output
    if reply.rejected and reply.status != "ok":
        text, output = reply.rejected[-1].text, reply.rejected[-1].output
    said = json.dumps(output, ensure_ascii=False) if text is None else text
    return round((len(said) + len(reply.reasoning or "")) / CHARS_PER_TOKEN)


def check_prices(options: BudgetOptions, models: Sequence[str]) -> None:
    """Raises `UserError` when a cost is to be limited that cannot be known."""
    unpriced = [name for name in models if name not in options.prices]
    if options.max_cost is not None and unpriced:
        raise UserError(f"--max-cost needs prices in the config file for {', '.join(unpriced)}")
