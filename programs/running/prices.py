"""What models cost."""

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
