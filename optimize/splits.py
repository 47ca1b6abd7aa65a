"""Splits of texts into those to train on, to choose by and to prove by; never one paper on two sides."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice, zip_longest
from typing import Generic, TypeVar

from programs.errors import UserError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Splits(Generic[Item]):
    """The three sides. No source is on two of them."""

    train: list[Item]
    val: list[Item]
    test: list[Item]

    @property
    def sides(self) -> dict[str, list[Item]]:
        """The sides by name."""
        return {"train": self.train, "val": self.val, "test": self.test}


def split_by(
    items: Sequence[Item],
    source: Callable[[Item], str],
    identity: Callable[[Item], str],
    *,
    num_train: int,
    num_val: int,
    num_test: int,
    seed: int,
    each_test: int | None = None,
) -> Splits[Item]:
    """Splits items of any kind by what `source` says of them. `identity` is an item's content; equal ones count once.

    `num_test` counts sources, each with at most `each_test` items (None: all of them); `num_train` and `num_val` count
    items, and no source gives a second before every source of its side gave one. The result depends on the seed and on
    what the items are, not on their order. Sources stand in the order of a hash of the seed and their key, and test
    takes the first: items that are added later may push a source out of test, but never take one from train or val into
    it, and more items of known sources change no side's sources of test at all.
    Raises `UserError`, with the numbers, where there is too little.
    """
    groups = _groups(items, source, identity, seed)
    test, rest = groups[:num_test], groups[num_test:]
    cut = _cut([len(group) for group in rest], num_val, num_train)
    if len(test) < num_test or cut is None:
        raise UserError(_too_little(groups, num_train, num_val, num_test))
    return Splits(
        train=spread(rest[cut:], num_train),
        val=spread(rest[:cut], num_val),
        test=[item for group in test for item in group[:each_test]],
    )


def _groups(
    items: Sequence[Item], source: Callable[[Item], str], identity: Callable[[Item], str], seed: int
) -> list[list[Item]]:
    """The items of each source, and the sources, in the order of their hashes."""
    unique: dict[str, tuple[str, Item]] = {}
    for item in items:
        name, key = identity(item), source(item)
        if name not in unique or key < unique[name][0]:
            unique[name] = (key, item)
    groups: dict[str, list[Item]] = {}
    for name in sorted(unique, key=lambda name: _hash(seed, name)):
        key, item = unique[name]
        groups.setdefault(key, []).append(item)
    return [groups[key] for key in sorted(groups, key=lambda key: _hash(seed, key))]


def _cut(sizes: list[int], num_val: int, num_train: int) -> int | None:
    """How many of the sources, which have so many items each, go to val, so that both sides have enough items: of all
    such numbers the one nearest to val's share, but no more than it has items. None where there is none."""
    before = list(accumulate(sizes, initial=0))
    enough = [cut for cut, size in enumerate(before) if size >= num_val and before[-1] - size >= num_train]
    share = len(sizes) * num_val / max(1, num_val + num_train)
    return min(enough, key=lambda cut: abs(cut - min(share, num_val)), default=None)


def spread(groups: Sequence[Sequence[Item]], number: int) -> list[Item]:
    """So many items: the first of each group, then the second of each, and so on."""
    nothing = object()
    rounds = chain.from_iterable(zip_longest(*groups, fillvalue=nothing))
    return list(islice((item for item in rounds if item is not nothing), number))  # type: ignore[misc]


def hash_of(names: Iterable[str]) -> str:
    """Tells two sides of a split apart, whatever their order."""
    return hashlib.blake2b("\n".join(sorted(names)).encode(), digest_size=8).hexdigest()


def _too_little(groups: Sequence[Sequence[object]], num_train: int, num_val: int, num_test: int) -> str:
    rest = groups[num_test:]
    return (
        f"too little to split: there are {len(groups)} sources (papers, or questions) with {sum(map(len, groups))} texts; "
        f"--num-test {num_test} leaves {len(rest)} sources with {sum(map(len, rest))} texts for --num-val {num_val} and "
        f"--num-train {num_train}. Ask for fewer, or give more sources."
    )


def _hash(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}/{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
