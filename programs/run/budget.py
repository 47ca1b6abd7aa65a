"""What a run may spend: calls, tokens and, where prices are known, money."""

from collections.abc import Sequence

from programs.asking.reply import Reply
from programs.errors import UserError
from programs.option_groups import BudgetOptions


class Budget:
    """Counts what this run spends, and says when a limit is `reached`.

    `cost` is None when some reply came from a model without a price or without token counts: unknown, never guessed.
    Calls are counted as they start, so no more than `max_calls` are made; tokens and cost as replies come, so the calls
    then in flight are spent on top.
    """

    def __init__(self, options: BudgetOptions) -> None:
        self._options = options
        self.calls = self.tokens = 0
        self.cost: float | None = 0.0
        self.reached: str | None = None

    def permits(self) -> bool:
        """Whether one more call may be made, which is then counted."""
        self.reached = self.reached or self._limit()
        self.calls += self.reached is None
        return self.reached is None

    def spend(self, reply: Reply) -> None:
        """Counts what a stage cost."""
        read, written = reply.spent.prompt_tokens, reply.spent.completion_tokens
        self.tokens += (read or 0) + (written or 0)
        price = self._options.prices.get(reply.model)
        if price is None or read is None or written is None or self.cost is None:
            self.cost = None
        else:
            self.cost += price.of(read, written)

    def _limit(self) -> str | None:
        options = self._options
        if options.max_calls is not None and self.calls >= options.max_calls:
            return f"{self.calls} calls"
        if options.max_tokens_total is not None and self.tokens >= options.max_tokens_total:
            return f"{self.tokens} tokens"
        if options.max_cost is not None and self.cost is not None and self.cost >= options.max_cost:
            return f"a cost of {self.cost:.4g}"
        return None


def check_prices(options: BudgetOptions, models: Sequence[str]) -> None:
    """Raises `UserError` when a cost is to be limited that cannot be known."""
    unpriced = [name for name in models if name not in options.prices]
    if options.max_cost is not None and unpriced:
        raise UserError(f"--max-cost needs prices in the config file for {', '.join(unpriced)}")
