"""Counts of names and numbers, at a memory that does not grow with how many there are."""

from collections import Counter

OTHERS = "others"
"""What the names are counted as that are too many."""


def count_name(counts: Counter[str], name: str, most: int) -> None:
    """Counts a name. Beyond `most` different ones, those that are new are counted together."""
    counts[name if name in counts or len(counts) < most else OTHERS] += 1


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
