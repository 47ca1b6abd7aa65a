"""Which split a paper is in: by a hash of its name alone, so that traces that come later change no one's place."""

import hashlib
from dataclasses import dataclass
from itertools import accumulate

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Shares:
    """The shares of train, validation and test, which add up to 1."""

    shares: tuple[float, ...] = (1.0,)

    @classmethod
    def parse(cls, text: str) -> "Shares":
        """From `0.9,0.05,0.05`, `0.9,0.1` or `1`. Raises ValueError."""
        try:
            shares = tuple(float(share) for share in text.split(","))
        except ValueError:
            shares = ()
        if not 1 <= len(shares) <= len(SPLITS) or min(shares) < 0 or not abs(sum(shares) - 1) < 1e-6:
            raise ValueError("one to three shares that add up to 1, for train, validation and test: 0.9,0.05,0.05")
        return cls(shares)

    def named(self) -> list[tuple[str, float]]:
        """Each split with its share."""
        return list(zip(SPLITS, self.shares, strict=False))

    def split_of(self, source: str) -> str:
        """The split of a paper."""
        number = int.from_bytes(hashlib.blake2b(f"split/{source}".encode(), digest_size=8).digest(), "big")
        # As many bits as a float holds, or the largest ones would become 1.
        place = (number >> 11) / 2**53
        ends = list(accumulate(self.shares))[:-1]
        return SPLITS[sum(place >= end for end in ends)]
