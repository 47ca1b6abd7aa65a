"""What calls cost: requests, tokens, faults and time, counted where they happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from dspy.lm15 import Response, Usage

from programs.errors import BackendError
from programs.lms.failures import kind
from programs.lms.wire import reasoning_of


@dataclass
class Meter:
    """The account of the calls made inside one `metered()` block.

    `attempts` counts HTTP requests for answers, failed ones too; `seconds` the waiting for their replies, without the
    pauses between them. Tokens are those that servers reported, also for answers of no use; `uncounted` answers came
    without. `faults` counts what failed, by kind; `reasoning` is that of the last answer.
    """

    attempts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    uncounted: int = 0
    reasoning: str = ""
    seconds: float = 0.0

    def add_usage(self, usage: Usage) -> None:
        self.prompt_tokens += usage.input_tokens or 0
        self.completion_tokens += usage.output_tokens or 0
        self.cached_tokens += usage.cache_read_tokens or 0

    def add_answer(self, response: Response) -> None:
        self.add_usage(response.usage)
        self.uncounted += response.usage.input_tokens is None or response.usage.output_tokens is None
        self.reasoning = reasoning_of(response)

    def add_fault(self, error: BackendError) -> None:
        self.faults[kind(error)] += 1

    def absorb(self, inner: Meter) -> None:
        """Counts here too what an inner block's meter counted."""
        for name, value in vars(inner).items():
            own = getattr(self, name)
            setattr(self, name, value or own if name == "reasoning" else own + value)


_meter: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Counts the calls made inside, in tasks and threads too where they inherit the context; so does the block around,
    once this one has ended."""
    meter, outer = Meter(), current_meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)
        outer.absorb(meter)


def current_meter() -> Meter:
    """The meter of the block we are in; outside any, one that nobody reads."""
    return _meter.get() or Meter()
