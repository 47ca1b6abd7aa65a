"""Seen behaves as a set does, in a quarter of its memory."""

from __future__ import annotations

import random
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from programs.inputs.reader import _Seen as Seen


@given(st.lists(st.one_of(st.integers(1, 2**64 - 1), st.integers(1, 50))))
def test_seen_is_a_set(numbers: list[int]) -> None:
    seen, model = Seen(), set[int]()
    for number in numbers:
        assert seen.add(number) is (number not in model)
        model.add(number)


def test_zero_is_a_number_too() -> None:
    seen = Seen()
    assert seen.add(0)
    assert not seen.add(0)


def test_it_takes_at_most_32_bytes_a_number() -> None:
    numbers = [random.Random(n).getrandbits(64) for n in range(40_000)]
    seen = Seen()
    tracemalloc.start()
    try:
        assert all(seen.add(number) for number in numbers)
        assert tracemalloc.get_traced_memory()[0] < 32 * len(numbers)
    finally:
        tracemalloc.stop()
    assert not any(seen.add(number) for number in numbers)
