"""What a run counts of itself: what it has under way and waits for, what it answered without asking, what it spent and may
spend, what became of its texts and traces. A journal holds all runs."""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.errors import TransientError, UserError
from programs.inputs.cutting import CHARS_PER_TOKEN
from programs.lms.failures import kind
from programs.lms.meter import Spent
from programs.option_groups import BudgetOptions
from programs.run.gate import Gate
from programs.run.reading import Reading

log = logging.getLogger("synthreasoner")

PROMPT_OVERHEAD = 450
"""Tokens of a prompt apart from its inputs: the mean over the stages of a trace."""


class Amount(NamedTuple):
    """Tokens, and what they cost."""

    tokens: float = 0.0
    cost: float = 0.0

    def plus(self, other: "Amount", times: float = 1.0) -> "Amount":
        """The sum with so many times the other."""
        return Amount(self.tokens + times * other.tokens, self.cost + times * other.cost)


class Budget:
    """Counts what this run spends, and says when a limit is `reached`.

    No more than `max_calls` are made. For each call under way the tokens and the cost that such calls took so far are set
    aside, and a call that does not fit beside them waits for them to end; so what is spent on top of a limit does not grow
    with the calls in flight. What a server does not count is estimated by length, as far as limits go, which is said once.

    `cost` is None without prices. It is the least: `cost_is_whole` is False once some reply was not counted, or its model
    has no price.
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
            self._under_way[ask.key], self._set_aside = expected, self._set_aside.plus(expected)
        if self.reached is not None:
            return "stop"
        self.calls += 1
        return "go"

    def spend(self, ask: Ask, reply: Reply) -> None:
        """Counts what a call cost."""
        self.release(ask)
        spent = reply.spent
        read, written, known = spent.prompt_tokens, spent.completion_tokens, reply.model in self._options.prices
        if read is None or written is None:
            self._warn(reply.model)
            read, written, known = _read_by(ask), _tokens_in(reply), False
        amount, key = self._amount(reply.model, read, written, spent.cached_tokens or 0), (ask.account, reply.model)
        self.cost_is_whole = self.cost_is_whole and known
        if known and self.cost is not None:
            self.cost += amount.cost
        calls, total = self._taken.get(key, (0, Amount()))
        self._taken[key] = calls + 1, total.plus(amount)
        self._spent = self._spent.plus(amount)

    def release(self, ask: Ask) -> None:
        """An ask's call is no longer under way."""
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

    def _warn(self, model: str) -> None:
        if self.cost_is_whole and self._limited:
            limits = " and ".join(self._limited)
            said = f"{model} does not say how many tokens a reply took: {limits} cannot be kept exactly"
            log.warning("%s, and what it takes is estimated by its length", said)


def _read_by(ask: Ask) -> int:
    """About how many tokens a prompt has."""
    return PROMPT_OVERHEAD + round(sum(len(str(value)) for value in ask.inputs.values()) / CHARS_PER_TOKEN)


def _tokens_in(reply: Reply) -> int:
    """About how many tokens were written for a reply."""
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


@dataclass
class Ledger:
    """`since` is the offset in the journal at which the run began. `traces` counts the variations of all runs by status,
    of which `accepted_before` were accepted before this one; `goal` is how many are to be in the end, and `room` how many
    texts may be begun or taken up again; None for any number. `total` is what this run spent, `reused` how many stages the
    journal answered, `already_done` how many texts earlier runs had done, `texts_done` how many were driven to their
    end. `faults` counts the failures that are followed by another try, as they happen, by kind; `last_fault` is the
    newest, in one line. `on_reply` is told of each reply."""

    gate: Gate
    budget: Budget
    reading: Reading
    since: int = 0
    traces: Counter[str] = field(default_factory=Counter)
    goal: int | None = None
    room: Callable[[], int | None] = lambda: None
    on_reply: Callable[[Ask, Reply], None] = lambda _ask, _reply: None
    accepted_before: int = field(init=False)
    total: Spent = field(default_factory=Spent)
    reused: int = 0
    already_done: int = 0
    texts_done: int = 0
    under_way: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    last_fault: str | None = None
    _tries_at: list[float] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.accepted_before = self.traces["accepted"]

    def answered(self, ask: Ask, reply: Reply) -> None:
        """A call of a stage was answered."""
        self.total += reply.spent
        self.budget.spend(ask, reply)
        self.on_reply(ask, reply)

    def will_retry(self, error: TransientError, seconds: float) -> None:
        """A call failed, and is tried again in so many seconds: it is in no account before it ends."""
        self.faults[kind(error)] += 1
        self._tries_at = [*self._pauses(), time.monotonic() + seconds]
        self.last_fault = " ".join(str(error).split())

    @property
    def waiting(self) -> int:
        """How many calls wait to be tried again."""
        return len(self._pauses())

    def _pauses(self) -> list[float]:
        now = time.monotonic()
        return [then for then in self._tries_at if then > now]

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    @property
    def to_end(self) -> float | None:
        """How many texts will still be driven to their end, those under way included; None: nobody knows."""
        texts, room = self.reading.texts, self.room()
        # What is taken up again counts among the done ones already.
        left = None if texts is None else max(self.under_way, texts - self.already_done - self.texts_done)
        most = None if room is None else room + self.under_way
        return min((number for number in (left, most) if number is not None), default=None)

    @property
    def stopping(self) -> str | None:
        """Why no new call starts any more; None: they do."""
        if not self.gate.closed:
            return None
        return "interrupted" if self.gate.interrupted else "the budget is spent" if self.budget.reached else "an error"
