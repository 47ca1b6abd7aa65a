"""The traces that a person looks at: those on which the judges are far apart, or a random sample of all."""

import hashlib
import heapq
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from programs.inputs.sample import content_id
from programs.judges.agreement import FAR_APART
from programs.records import Record
from programs.run.attempts import read_variations


class ReviewItem(NamedTuple):
    """A trace on the list, and what became of it: accepted, or below, where its judges turned it down."""

    record: Record
    became: str

    @property
    def id(self) -> str:
        """Its name in files of labels."""
        record = self.record
        texts = (record.user_interaction.question, record.reasoning_trace, record.final_answer)
        return record.id or content_id("\0".join(texts))

    @property
    def spread(self) -> float:
        """How far apart its judges are."""
        return self.record.metadata.quality_spread or 0


def far_apart(path: Path, size: int, known: Collection[str]) -> list[ReviewItem]:
    """The `size` traces of a document's journal on which two judges' overall ratings are furthest apart, the furthest
    first, and by `FAR_APART` at least; without those whose ids are `known`. Memory: so many traces. Raises what
    `read_variations` raises."""
    listed = (item for item in _judged(path) if item.spread >= FAR_APART and item.id not in known)
    return heapq.nlargest(size, listed, key=lambda item: item.spread)


def random_sample(path: Path, size: int, seed: int) -> list[ReviewItem]:
    """`size` traces of a document's journal, every one as likely as any other: accepted ones, and those that its judges
    turned down. So what people say of them holds for the whole run. With the same seed it is the same sample, and a larger
    one holds the smaller, in the same order. Memory: the traces of the sample. Raises what `read_variations` raises.
    """

    def drawn(item: ReviewItem) -> bytes:
        return hashlib.blake2b(f"review/{seed}/{item.id}".encode(), digest_size=8).digest()

    return heapq.nsmallest(size, _judged(path), key=drawn)


def _judged(path: Path) -> Iterator[ReviewItem]:
    for variation in read_variations(path):
        if not variation.left_out:
            if variation.accepted:
                yield ReviewItem(variation.accepted, "accepted")
            yield from (ReviewItem(record, "below") for record in variation.rejected)
