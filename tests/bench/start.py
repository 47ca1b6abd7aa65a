"""How long `--help` takes, and how long a dry run over the sample data."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from tests.bench.options import Options
from tests.bench.process import run

RUNS = 5


def bench(options: Options) -> Iterator[dict[str, Any]]:
    """Medians of several runs each."""
    runs = 2 if options.quick else RUNS
    for words in (["--help"], ["--dry-run"]):
        bills = [run(["-m", "programs.generate", *words]) for _ in range(runs)]
        yield {"command": words[0], "wall_s": round(median(bill.wall for bill in bills), 3), "runs": runs}
