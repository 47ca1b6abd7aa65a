"""A random sample of a run's traces, for people: what they say of it holds for the whole run, which the review list, being
of the traces on which judges differ, cannot give."""

import hashlib
import heapq
from collections.abc import Iterator
from pathlib import Path

from programs.judges.review_list import ReviewItem, review_item
from programs.run.attempts import read_variations


class ReviewSample:
    """`size` traces of a document's journal, every one as likely as any other: accepted ones, and those that its judges
    turned down. With the same seed it is the same sample, and a larger one holds the smaller, in the same order.

    Memory: the traces of the sample. Raises what `programs.run.attempts.read_variations` raises.
    """

    def __init__(self, path: Path, size: int, seed: int) -> None:
        def drawn(item: ReviewItem) -> bytes:
            return hashlib.blake2b(f"review/{seed}/{item.id}".encode(), digest_size=8).digest()

        self._items = heapq.nsmallest(size, _items(path), key=drawn)
        self.ids = [item.id for item in self._items]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, number: int) -> ReviewItem:
        return self._items[number]

    def close(self) -> None:
        """Holds nothing open."""


def _items(path: Path) -> Iterator[ReviewItem]:
    for unit in read_variations(path):
        if unit.left_out:
            continue
        if unit.accepted:
            yield review_item(unit.key, "accepted", unit.accepted)
        for record in unit.rejected:
            yield review_item(unit.key, "below", record)
