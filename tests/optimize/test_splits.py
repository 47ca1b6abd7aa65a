"""Invariants of `optimize.texts.split_by`.

1. No source is on two sides, and no item occurs twice; the sides have the requested sizes.
2. (The same items and seed give the same split, whatever the order of the items: tests/optimize/test_judging.py.)
3. Adding items of known sources changes no test source; adding sources makes no earlier source a test source.
4. A side's items come from as many sources as possible.
5. (Too few items are a `UserError` with the available and the requested number: tests/optimize/test_compile_ends.py.)
"""

from hypothesis import given
from hypothesis import strategies as st

from optimize.settings import CompileSettings
from optimize.texts import Splits, split_by
from programs.errors import UserError

Item = tuple[str, int]
"""A source, and the number of one of its texts."""
Sizes = tuple[int, int, int]
"""The sizes of train, val and test."""

ITEMS = st.dictionaries(st.text(max_size=3), st.integers(1, 6), min_size=1, max_size=12).map(
    lambda sizes: [(source, number) for source, size in sizes.items() for number in range(size)]
)
SIZES = st.tuples(st.integers(1, 8), st.integers(1, 6), st.integers(2, 6))
SEEDS = st.integers(0, 3)


def split(items: list[Item], sizes: Sizes, seed: int, per_test_source: int | None = 1) -> Splits[Item] | None:
    """The split, or None if there are too few items."""
    train, val, test = sizes
    settings = CompileSettings(model="openai/any", seed=seed, num_train=train, num_val=val, num_test=test)
    try:
        return split_by(items, lambda item: item[0], str, settings, per_test_source=per_test_source)
    except UserError:
        return None


def sources(items: list[Item]) -> set[str]:
    return {source for source, _ in items}


@given(ITEMS, SIZES, SEEDS, st.none() | st.just(1))
def test_1_and_4_sides_share_no_source(items: list[Item], sizes: Sizes, seed: int, per_test_source: int | None) -> None:
    splits = split(items, sizes, seed, per_test_source)
    if splits is None:
        return
    sides, test = list(splits.values()), splits["test"]
    assert (len(splits["train"]), len(splits["val"]), len(sources(test))) == sizes
    assert sum(len(sources(side)) for side in sides) == len(set.union(*map(sources, sides)))
    assert all(len(set(side)) == len(side) for side in sides)
    if per_test_source is None:
        assert set(test) == {item for item in items if item[0] in sources(test)}
    else:
        assert len(test) == sizes[2]
    for side in (splits["train"], splits["val"]):
        count = len(sources(side))
        assert len(sources(side[:count])) == count, "every source gives one item before any gives a second"


@given(ITEMS, ITEMS, SIZES, SEEDS)
def test_3_added_items_move_no_source_to_test(items: list[Item], added: list[Item], sizes: Sizes, seed: int) -> None:
    before, after = split(items, sizes, seed), split([*items, *added], sizes, seed)
    if before is None or after is None:
        return
    new = sources(added) - sources(items)
    assert sources(after["test"]) <= sources(before["test"]) | new
    if not new:
        assert sources(after["test"]) == sources(before["test"])
