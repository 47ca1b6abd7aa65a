"""Splits of texts into those to train on, to choose by and to prove by; never one paper on two sides."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

from optimize.settings import CompileSettings
from programs.errors import UserError

Item = TypeVar("Item")

MOST_EXAMPLES, MOST_TESTS = 24, 60
"""Examples to train on, as many to choose by, and sources of the proof, when nothing is said."""

Splits = dict[str, list[Item]]
"""The three sides, `train`, `val` and `test`. No source is on two of them."""


def split_by(
    items: Sequence[Item],
    source: Callable[[Item], str],
    identity: Callable[[Item], str],
    settings: CompileSettings,
    *,
    each_test: int | None = None,
) -> Splits[Item]:
    """Splits items of any kind by what `source` says of them. `identity` is an item's content; equal ones count once.

    `--num-test` counts sources (half, at most 60, when not given), each with at most `each_test` items (None: all of
    them); `--num-train` and `--num-val` count items (a quarter each, at most 24, or fewer where there are fewer), and no
    source gives a second before every source of its side gave one. The result depends on the seed and on what the items
    are, not on their order. Sources stand in the order of a hash of the seed and their key, and test takes the first:
    items that are added later may push a source out of test, but never take one from train or val into it, and more items
    of known sources change no side's sources of test at all.
    Raises `UserError`, with the numbers, where there is too little.
    """

    def place(name: str) -> bytes:
        return hashlib.blake2b(f"{settings.seed}/{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()

    unique = {identity(item): (source(item), item) for item in sorted(items, key=source, reverse=True)}
    groups: dict[str, list[Item]] = {}
    for name in sorted(unique, key=place):
        key, item = unique[name]
        groups.setdefault(key, []).append(item)
    sources = [groups[key] for key in sorted(groups, key=place)]
    number = settings.num_test or max(2, min(MOST_TESTS, len(sources) // 2))
    test, rest = sources[:number], sources[number:]
    for usual in range(max(2, min(MOST_EXAMPLES, len(unique) // 4)), 0, -1):
        train, val = settings.num_train or usual, settings.num_val or usual
        cut = _cut([len(group) for group in rest], val, train)
        if cut is not None and len(test) == number:
            break
    else:
        raise UserError(
            f"too little to split: there are {len(sources)} sources (papers, or questions) with {len(unique)} texts; "
            f"--num-test {number} leaves {len(rest)} sources with {sum(map(len, rest))} texts for --num-val {val} and "
            f"--num-train {train}. Ask for fewer, or give more sources."
        )
    return {
        "train": _spread(rest[cut:], train),
        "val": _spread(rest[:cut], val),
        "test": [item for group in test for item in group[:each_test]],
    }


def _cut(sizes: list[int], num_val: int, num_train: int) -> int | None:
    """How many of the sources, which have so many items each, go to val, so that both sides have enough items: of all
    such numbers the one nearest to val's share, but no more than it has items. None where there is none."""
    before = list(accumulate(sizes, initial=0))
    enough = [cut for cut, size in enumerate(before) if size >= num_val and before[-1] - size >= num_train]
    share = len(sizes) * num_val / max(1, num_val + num_train)
    return min(enough, key=lambda cut: abs(cut - min(share, num_val)), default=None)


def _spread(groups: Sequence[Sequence[Item]], number: int) -> list[Item]:
    """So many items: the first of each group, then the second of each, and so on."""
    ranked = sorted((place, source) for source, group in enumerate(groups) for place in range(len(group)))
    return [groups[source][place] for place, source in ranked[:number]]


def hash_of(names: Iterable[str]) -> str:
    """Tells two sides of a split apart, whatever their order."""
    return hashlib.blake2b("\n".join(sorted(names)).encode(), digest_size=8).hexdigest()
