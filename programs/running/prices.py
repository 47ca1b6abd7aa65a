"""What models cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Price(BaseModel):
    """What a million tokens of a model cost, read and written, in any one currency."""

    model_config = ConfigDict(extra="forbid")

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)

    def of(self, read: int, written: int) -> float:
        """The cost of so many tokens."""
        return (read * self.prompt + written * self.completion) / MILLION


MILLION = 1_000_000


def cost_of(spent: Sequence[Mapping[str, Any]], prices: Mapping[str, Price]) -> float | None:
    """What was spent by stage and model (`programs.journals.index.Index.spent`) has cost. None where nothing was, and
    where a price or a count of tokens is missing."""
    if not spent or any(row["uncounted"] or row["model"] not in prices for row in spent):
        return None
    return sum(prices[row["model"]].of(row["prompt"], row["completion"]) for row in spent)
