"""What a run may spend: calls, tokens and, where prices are known, money."""

from collections.abc import Callable, Mapping

from programs.asking.reply import Reply
from programs.errors import RunStopped, UserError
from programs.option_groups import Price


class Budget:
    """Counts what this run spends and says stop when a limit is reached.

    `cost` is None when some reply came from a model without a price or without token counts: unknown, never guessed.
    Calls are counted as they start, so no more than `max_calls` are made; tokens and cost as replies come, so the calls
    then in flight are spent on top.
    """

    def __init__(
        self,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        self._max_calls, self._max_tokens, self._max_cost = max_calls, max_tokens, max_cost
        self._prices = prices or {}
        self.calls = self.tokens = 0
        self.cost: float | None = 0.0
        self.reached: str | None = None
        self.stop: Callable[[], None] = lambda: None

    def permit(self) -> None:
        """Counts a call that is about to be made. Raises `RunStopped`, and calls `stop`, when none may be."""
        if self.reached is None:
            self.reached = self._limit()
        if self.reached is not None:
            self.stop()
            raise RunStopped
        self.calls += 1

    def spend(self, reply: Reply) -> None:
        """Counts what a stage cost."""
        read, written = reply.spent.prompt_tokens, reply.spent.completion_tokens
        self.tokens += (read or 0) + (written or 0)
        price = self._prices.get(reply.model)
        if price is None or read is None or written is None or self.cost is None:
            self.cost = None
        else:
            self.cost += price.of(read, written)

    def _limit(self) -> str | None:
        if self._max_calls is not None and self.calls >= self._max_calls:
            return f"{self.calls} calls"
        if self._max_tokens is not None and self.tokens >= self._max_tokens:
            return f"{self.tokens} tokens"
        if self._max_cost is not None and self.cost is not None and self.cost >= self._max_cost:
            return f"a cost of {self.cost:.4g}"
        return None


def check_prices(max_cost: float | None, prices: Mapping[str, Price], models: list[str]) -> None:
    """Raises `UserError` when a cost is to be limited that cannot be known."""
    unpriced = [name for name in models if name not in prices]
    if max_cost is not None and unpriced:
        raise UserError(f"--max-cost needs prices in the config file for {', '.join(unpriced)}")
