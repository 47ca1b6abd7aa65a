"""How long the policy waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from programs.errors import TransientError
from programs.lms.faults import EmptyAnswer, TimedOut
from programs.lms.retry import RetryPolicy


@given(st.integers(1, 5000), st.none() | st.floats(0, 300))
def test_waits_are_bounded_and_never_shorter_than_asked(failures: int, asked: float | None) -> None:
    wait = RetryPolicy().wait(failures, asked)
    assert 0.5 <= wait <= max(60.0, 1.1 * (asked or 0))
    assert wait >= (asked or 0)


def test_waits_double() -> None:
    policy = RetryPolicy(first_wait=1, longest_wait=8)
    for failures, doubled in enumerate([1, 2, 4, 8, 8], start=1):
        assert doubled / 2 <= policy.wait(failures) <= doubled


def test_negative_waits_are_refused() -> None:
    with pytest.raises(ValidationError):
        RetryPolicy(patience=-1)


@pytest.mark.parametrize(("failures", "tries"), [([EmptyAnswer] * 9, 3), ([TimedOut, EmptyAnswer] * 9, 6)])
async def test_empty_answers_are_paid_for_and_tried_thrice(failures: list[type[TransientError]], tries: int) -> None:
    """Other failures between them count for themselves."""
    policy = RetryPolicy(first_wait=0, patience=60)
    seen: list[type[TransientError]] = []

    async def attempt() -> str:
        seen.append(failures[len(seen)])
        raise seen[-1]("no")

    with pytest.raises(EmptyAnswer):
        await policy.call(attempt)
    assert len(seen) == tries
