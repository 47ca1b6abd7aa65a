"""Splits of texts into those to train on, to choose by and to prove by; never one paper on two sides."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
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
    are, not on their order. Sources stand in the order of a hash of the seed and their key, and test takes the first, so
    that items which are added later never take a source from train or val into it.
    Raises `UserError`, with the numbers, where there is too little.
    """

    def place(name: str) -> bytes:
        return hashlib.blake2b(f"{settings.seed}/{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()

    unique = {identity(item): item for item in sorted(items, key=source, reverse=True)}
    groups = defaultdict[str, list[Item]](list)
    for name in sorted(unique, key=place):
        groups[source(unique[name])].append(unique[name])
    sources = [groups[key] for key in sorted(groups, key=place)]
    number, usual = (
        settings.num_test or max(2, min(MOST_TESTS, len(sources) // 2)),
        min(MOST_EXAMPLES, len(unique) // 4),
    )
    test, rest = sources[:number], sources[number:]
    train, val = settings.num_train or max(1, usual), settings.num_val or max(1, usual)
    cut = max(1, min(val, len(rest) * val // (val + train)))
    while cut < len(rest) - 1 and sum(map(len, rest[:cut])) < val:
        cut += 1
    made = {"train": _spread(rest[cut:], train), "val": _spread(rest[:cut], val)}
    if (
        len(test) < number
        or len(made["train"]) < (settings.num_train or 1)
        or len(made["val"]) < (settings.num_val or 1)
    ):
        raise UserError(
            f"too little to split: there are {len(sources)} sources (papers, or questions) with {len(unique)} texts; "
            f"--num-test {number} leaves {len(rest)} sources with {sum(map(len, rest))} texts for --num-val {val} and "
            f"--num-train {train}. Ask for fewer, or give more sources."
        )
    return {**made, "test": [item for group in test for item in group[:each_test]]}


def _spread(groups: Sequence[Sequence[Item]], number: int) -> list[Item]:
    """So many items: the first of each group, then the second of each, and so on."""
    return [item for each in zip_longest(*groups) for item in each if item is not None][:number]


def hash_of(names: Iterable[str]) -> str:
    """Tells two sides of a split apart, whatever their order."""
    return hashlib.blake2b("\n".join(sorted(names)).encode(), digest_size=8).hexdigest()
