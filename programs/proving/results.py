"""What a proof found, as `results.json` holds it."""

from typing import Any

from pydantic import BaseModel

from programs.proving.distributions import Distributions
from programs.proving.lift import Lift
from programs.proving.verdict import Training


class Results(BaseModel):
    """The results of the tiers that were run. `options` are those that were given or defaulted, without paths."""

    document: str
    made: str
    program: str
    versions: dict[str, str]
    seed: int
    options: dict[str, Any]
    student: str | None
    distributions: Distributions
    lift: Lift | None = None
    training: Training | None = None
