"""What a run may spend."""

from pydantic import BaseModel, Field

from programs.running.prices import Price


class BudgetOptions(BaseModel):
    """Options about what a run may spend."""

    max_calls: int | None = Field(None, ge=1, description="calls after which this run stops, to be resumed")
    max_tokens_total: int | None = Field(None, ge=1, description="tokens after which this run stops, to be resumed")
    max_cost: float | None = Field(
        None, gt=0, description="cost after which this run stops; needs prices in the config"
    )
    prices: dict[str, Price] = Field(
        {}, description="in the config file: for each model the price of a million prompt and completion tokens"
    )
