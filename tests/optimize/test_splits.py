"""Invariants of `optimize.texts.split_by`.

1. No source is on two sides, no item twice; the sides have the sizes that were asked for.
2. (The same items and seed give the same split, in whatever order the items come: tests/optimize/test_judging.py.)
3. Items of known sources that are added change no test source; new sources take none from train or val into test.
4. A side's items are of as many sources as there are for it.
5. (Too little is a `UserError` that says how much there is and what was asked for: tests/optimize/test_compile_ends.py.)
"""

from hypothesis import given
from hypothesis import strategies as st

from optimize.settings import CompileSettings
from optimize.texts import Splits, split_by
from programs.errors import UserError

Item = tuple[str, int]
"""A source, and which of its texts."""
Sizes = tuple[int, int, int]
"""Of train, val and test."""

ITEMS = st.dictionaries(st.text(max_size=3), st.integers(1, 6), min_size=1, max_size=12).map(
    lambda sizes: [(source, number) for source, size in sizes.items() for number in range(size)]
)
NUMBERS = st.tuples(st.integers(1, 8), st.integers(1, 6), st.integers(2, 6))
SEEDS = st.integers(0, 3)


def parted(items: list[Item], numbers: Sizes, seed: int, each_test: int | None = 1) -> Splits[Item] | None:
    """None where there is too little."""
    train, val, test = numbers
    settings = CompileSettings(model="openai/any", seed=seed, num_train=train, num_val=val, num_test=test)
    try:
        return split_by(items, lambda item: item[0], str, settings, each_test=each_test)
    except UserError:
        return None


def sources(items: list[Item]) -> set[str]:
    return {source for source, _ in items}


@given(ITEMS, NUMBERS, SEEDS, st.none() | st.just(1))
def test_1_and_4_sides_share_no_source(items: list[Item], numbers: Sizes, seed: int, each: int | None) -> None:
    made = parted(items, numbers, seed, each)
    if made is None:
        return
    sides, test = list(made.values()), made["test"]
    assert (len(made["train"]), len(made["val"]), len(sources(test))) == numbers
    assert sum(len(sources(side)) for side in sides) == len(set.union(*map(sources, sides)))
    assert all(len(set(side)) == len(side) for side in sides)
    if each is None:
        assert set(test) == {item for item in items if item[0] in sources(test)}
    else:
        assert len(test) == numbers[2]
    for side in (made["train"], made["val"]):
        firsts = len(sources(side))
        assert len(sources(side[:firsts])) == firsts, "no source gives a second before every one gave a first"


@given(ITEMS, ITEMS, NUMBERS, SEEDS)
def test_3_what_is_added_takes_none_into_test(items: list[Item], more: list[Item], numbers: Sizes, seed: int) -> None:
    before, after = parted(items, numbers, seed), parted([*items, *more], numbers, seed)
    if before is None or after is None:
        return
    new = sources(more) - sources(items)
    assert sources(after["test"]) <= sources(before["test"]) | new
    if not new:
        assert sources(after["test"]) == sources(before["test"])
