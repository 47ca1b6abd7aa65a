"""What the benchmarks can be told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`quick`: smaller runs, to try the benchmarks themselves. `folder`: where large files are made (None: the
    temporary folder). `traces`: the largest journal of `scale`, or document of `report`."""

    quick: bool = False
    folder: Path | None = None
    traces: int | None = None
