"""Invariants of `programs.asking.ask` and `programs.asking.reply`.

1. If a coroutine fails, those that run beside it are awaited, then the first error (in order) is raised.
2. ResourceUsage adds up like numbers: it has a zero, order and grouping do not matter, and an unknown count stays unknown.
"""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.ask import gather_all
from programs.lms.meter import ResourceUsage


async def test_gather_all_awaits_everything_and_raises_the_first_error() -> None:
    finished: list[str] = []

    async def step(name: str) -> str:
        if name.startswith("bad"):
            raise LookupError(name)
        for _ in range(5):
            await asyncio.sleep(0)
        finished.append(name)
        return name

    with pytest.raises(LookupError, match="bad1"):
        await gather_all([step("a"), gather_all([step("bad1"), step("b")]), step("c"), step("bad2")])
    assert finished == ["a", "c", "b"]


COUNTS = st.none() | st.integers(0, 10**9)
USAGE = st.builds(
    ResourceUsage,
    calls=st.integers(0, 10**6),
    reasks=st.integers(0, 10**6),
    faults=st.dictionaries(st.sampled_from(["429", "500", "timeout", "empty"]), st.integers(1, 100)),
    prompt_tokens=COUNTS,
    completion_tokens=COUNTS,
    cached_tokens=COUNTS,
    seconds=st.integers(0, 10**6).map(lambda number: number / 1000),
)


def rounded(usage: ResourceUsage) -> dict[str, Any]:
    return {**usage.model_dump(), "seconds": pytest.approx(usage.seconds, abs=0.002)}


@given(USAGE, USAGE, USAGE)
def test_usage_adds_up_in_any_order_and_grouping(a: ResourceUsage, b: ResourceUsage, c: ResourceUsage) -> None:
    assert (a + b).model_dump() == rounded(b + a)
    assert ((a + b) + c).model_dump() == rounded(a + (b + c))
    assert (a + ResourceUsage()).model_dump() == rounded(a)
    assert sum([a, b, c], ResourceUsage()).calls == a.calls + b.calls + c.calls
