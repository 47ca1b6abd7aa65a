"""A shard: the part of all texts that one of several processes takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from programs.files import stem_of

_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


class Shard(NamedTuple):
    """Shard `number` (from 1) of `of`, written I/N.

    Invariant: every text is in exactly one of the N shards, by its own hash alone; where it stands in the input, and
    how often, makes no difference.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, words: str) -> Shard:
        """The shard that I/N means. Raises ValueError unless I is a whole number from 1 to N."""
        found = _FORM.fullmatch(words.strip())
        shard = cls(*map(int, found.groups())) if found else None
        if shard is None or not 1 <= shard.number <= shard.of:
            raise ValueError("write I/N with I from 1 to N: the first of four processes takes 1/4, the last 4/4")
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, sample_id: str) -> bool:
        """Whether the text with this id (`content_id`) is of this shard."""
        # By the high bits: the low ones choose a number's slot in a set of ids, and must stay spread within a shard.
        return int(sample_id, 16) * self.of >> 64 == self.number - 1

    def named(self, output: Path) -> Path:
        """The shard's own output: NAME.json becomes NAME.shard-I-of-N.json. A name that says so already stays."""
        mark = f".shard-{self.number}-of-{self.of}"
        stem = stem_of(output)
        return output if stem.endswith(mark) else output.with_name(f"{stem}{mark}{output.name.removeprefix(stem)}")
