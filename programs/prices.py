"""What models cost."""

from pydantic import BaseModel, ConfigDict, Field


class Price(BaseModel):
    """What a million tokens of a model cost, read and written, in any one currency."""

    model_config = ConfigDict(extra="forbid")

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)
