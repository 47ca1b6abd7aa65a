"""Counts of names and numbers in bounded memory."""

from collections import Counter

OTHERS = "others"
"""The name under which names beyond the limit are counted together."""


def count_name(counts: Counter[str], name: str, max_names: int) -> None:
    """Counts a name. Once there are `max_names` different names, new ones are counted as `OTHERS`."""
    counts[name if name in counts or len(counts) < max_names else OTHERS] += 1


class Spread:
    """The distribution of a number: counts by value, rounded to three decimals. `missing` counts the values of None."""

    def __init__(self) -> None:
        self.counts: Counter[float] = Counter()
        self.missing = 0

    def add(self, value: float | None) -> None:
        if value is None:
            self.missing += 1
        else:
            self.counts[round(value, 3)] += 1

    @property
    def known(self) -> int:
        return self.counts.total()

    @property
    def mean(self) -> float | None:
        return sum(value * count for value, count in self.counts.items()) / self.known if self.known else None

    def quantile(self, share: float) -> float | None:
        """The smallest value that at least this share of the values does not exceed; None without values."""
        passed = 0
        for value in sorted(self.counts):
            passed += self.counts[value]
            if passed >= share * self.known:
                return value
        return None
