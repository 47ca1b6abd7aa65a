"""What a compilation's calls cost: those that were paid, and those that were replayed instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal

Purpose = Literal["student", "judge", "report-judge", "proposer"]
"""What a call was for: the program that is tuned, the judge that tunes it, the judge that reports, or the model that
writes instructions."""


@dataclass(frozen=True)
class Spend:
    """A number of answered calls, their tokens as the servers count them (those of failed tries of the same call too),
    and the seconds of waiting. `uncounted` calls came without a count of tokens: the sums are then too low."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    uncounted: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            uncounted=self.uncounted + other.uncounted,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True)
class Account:
    """By purpose: what was paid for over all sessions of a compilation, and what the present one replayed for nothing."""

    paid: Mapping[Purpose, Spend]
    replayed: Mapping[Purpose, Spend]

    @property
    def all_paid(self) -> Spend:
        """What was paid for any purpose."""
        return reduce(add, self.paid.values(), Spend())

    @property
    def all_replayed(self) -> Spend:
        """What was replayed for any purpose."""
        return reduce(add, self.replayed.values(), Spend())
