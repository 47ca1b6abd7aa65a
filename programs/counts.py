"""Counts of names and numbers, at a memory that does not grow with how many there are."""

import hashlib
from collections import Counter
from collections.abc import Sequence

OTHERS = "others"
"""What the names are counted as that are too many."""


def count_name(counts: Counter[str], name: str, most: int) -> None:
    """Counts a name. Beyond `most` different ones, those that are new are counted together."""
    counts[name if name in counts or len(counts) < most else OTHERS] += 1


class Frequent:
    """The most frequent of any number of names (Misra and Gries, 1982). A count is exact up to 2 * `kept` different names,
    and beyond too low by at most one in `kept` of all that were counted."""

    def __init__(self, kept: int = 2000) -> None:
        self._kept = kept
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        self._counts[name] += 1
        if len(self._counts) > 2 * self._kept:
            cut = sorted(self._counts.values())[-self._kept - 1]
            self._counts = Counter({name: count - cut for name, count in self._counts.items() if count > cut})

    def most(self, number: int) -> dict[str, int]:
        """So many of them, the most frequent first."""
        return dict(self._counts.most_common(number))


class Distinct:
    """How many different names there are: exact up to `kept`, else estimated from those whose hash is among the lowest."""

    def __init__(self, kept: int = 10_000) -> None:
        self._kept = kept
        self._below = 1.0
        self._hashes: set[float] = set()

    def add(self, name: str) -> None:
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6).digest()
        place = int.from_bytes(digest, "big") / 2**48
        if place >= self._below:
            return
        self._hashes.add(place)
        if len(self._hashes) > self._kept:
            self._below /= 2
            self._hashes = {held for held in self._hashes if held < self._below}

    @property
    def number(self) -> int:
        return round(len(self._hashes) / self._below)


class Spread:
    """How a number is distributed: counted by its value, rounded to `digits`. `missing` is how often there was none."""

    def __init__(self, digits: int = 0) -> None:
        self.counts: Counter[float] = Counter()
        self.missing = 0
        self._digits = digits

    def add(self, value: float | None) -> None:
        if value is None:
            self.missing += 1
        else:
            self.counts[round(value, self._digits)] += 1

    @property
    def known(self) -> int:
        return self.counts.total()

    @property
    def mean(self) -> float | None:
        return sum(value * count for value, count in self.counts.items()) / self.known if self.known else None

    def quantile(self, share: float) -> float | None:
        """The least value that this share of the values does not exceed."""
        passed = 0
        for value in sorted(self.counts):
            passed += self.counts[value]
            if passed >= share * self.known:
                return value
        return None

    def in_bins(self, edges: Sequence[float]) -> list[int]:
        """How many values are from each edge up to below the next; the last bin has its end as well."""
        counts = [0] * (len(edges) - 1)
        for value, count in self.counts.items():
            counts[sum(value >= edge for edge in edges[1:-1])] += count
        return counts
