"""Invariants of `programs.asking.ask` and `programs.asking.reply`.

1. When something fails, what runs beside it is waited for, then the first error (in order) is raised.
2. ResourceUsage adds up like numbers do: it has a zero, order and grouping do not matter, an unknown count stays unknown.
"""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.asking.ask import gather_all
from programs.lms.meter import ResourceUsage


async def test_what_runs_beside_a_failure_is_waited_for() -> None:
    finished: list[str] = []

    async def said(name: str) -> str:
        if name.startswith("bad"):
            raise LookupError(name)
        for _ in range(5):
            await asyncio.sleep(0)
        finished.append(name)
        return name

    with pytest.raises(LookupError, match="bad1"):
        await gather_all([said("a"), gather_all([said("bad1"), said("b")]), said("c"), said("bad2")])
    assert finished == ["a", "c", "b"]


COUNTS = st.none() | st.integers(0, 10**9)
SPENT = st.builds(
    ResourceUsage,
    calls=st.integers(0, 10**6),
    reasks=st.integers(0, 10**6),
    faults=st.dictionaries(st.sampled_from(["429", "500", "timeout", "empty"]), st.integers(1, 100)),
    prompt_tokens=COUNTS,
    completion_tokens=COUNTS,
    cached_tokens=COUNTS,
    seconds=st.integers(0, 10**6).map(lambda number: number / 1000),
)


def rounded(spent: ResourceUsage) -> dict[str, Any]:
    return {**spent.model_dump(), "seconds": pytest.approx(spent.seconds, abs=0.002)}


@given(SPENT, SPENT, SPENT)
def test_spent_adds_up_in_any_order_and_grouping(a: ResourceUsage, b: ResourceUsage, c: ResourceUsage) -> None:
    assert (a + b).model_dump() == rounded(b + a)
    assert ((a + b) + c).model_dump() == rounded(a + (b + c))
    assert (a + ResourceUsage()).model_dump() == rounded(a)
    assert sum([a, b, c], ResourceUsage()).calls == a.calls + b.calls + c.calls
