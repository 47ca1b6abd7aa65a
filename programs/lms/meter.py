"""Counts what calls cost, where they are made: requests, tokens, faults and time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from dspy.lm15 import Response, Usage
from pydantic import BaseModel, Field

from programs.errors import BackendError
from programs.lms.failures import fault_kind
from programs.lms.wire import reasoning_of


class ResourceUsage(BaseModel):
    """The cost of calls. `calls` counts the tries of stages, whatever came of them, and `reasks` those after the first of
    a stage. `faults`: failed HTTP requests by kind. Tokens are as the servers count them; None: some server did not say.
    `seconds` are spent waiting for replies."""

    calls: int = 0
    reasks: int = 0
    faults: dict[str, int] = Field(default_factory=dict)
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    cached_tokens: int | None = 0
    seconds: float = 0.0

    def __add__(self, other: "ResourceUsage") -> "ResourceUsage":
        total = self.model_copy()
        total += other
        return total

    def __iadd__(self, other: "ResourceUsage") -> "ResourceUsage":
        """Adds in place. Each call needs five additions; making a new model for each took 5% of a run's CPU time."""
        self.calls += other.calls
        self.reasks += other.reasks
        self.prompt_tokens = _sum(self.prompt_tokens, other.prompt_tokens)
        self.completion_tokens = _sum(self.completion_tokens, other.completion_tokens)
        self.cached_tokens = _sum(self.cached_tokens, other.cached_tokens)
        self.seconds = round(self.seconds + other.seconds, 3)
        if other.faults:
            # A new dict, because copies share the old one.
            self.faults = dict(sorted((Counter(self.faults) + Counter(other.faults)).items()))
        return self


UNCOUNTED = ResourceUsage(prompt_tokens=None, completion_tokens=None, cached_tokens=None)
"""The cost of an answer without token counts."""


def _sum(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else left + right


@dataclass
class Meter:
    """Counts the calls made inside one `metered()` block. `spent.seconds` is the time of waiting for replies, without the
    pauses between retries. Tokens include those that servers report for unusable answers. `reasoning` is that of the last
    answer."""

    spent: ResourceUsage = field(default_factory=ResourceUsage)
    reasoning: str = ""

    def add_fault(self, error: BackendError, usage: Usage) -> None:
        """Adds an error, and the tokens that the server reports for it."""
        self.spent += ResourceUsage(faults={fault_kind(error): 1}) + _tokens(usage)

    def add_answer(self, response: Response) -> None:
        counted = response.usage.input_tokens is not None and response.usage.output_tokens is not None
        self.spent += _tokens(response.usage) if counted else UNCOUNTED
        self.reasoning = reasoning_of(response)


def _tokens(usage: Usage) -> ResourceUsage:
    return ResourceUsage(
        prompt_tokens=usage.input_tokens or 0,
        completion_tokens=usage.output_tokens or 0,
        cached_tokens=usage.cache_read_tokens or 0,
    )


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Counts the calls made inside the block, also in tasks and threads that inherit its context. When the block ends, its
    counts are added to those of the enclosing block."""
    meter, outer = Meter(), current_meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)
        outer.spent += meter.spent
        outer.reasoning = meter.reasoning or outer.reasoning


def current_meter() -> Meter:
    """The meter of the innermost block; outside any block, a new one that nobody reads."""
    return _meter.get() or Meter()
