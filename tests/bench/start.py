"""How long `--help` takes, and how long a dry run over the sample data."""

from statistics import median
from typing import Any

from tests.bench.process import run

RUNS = 5


def bench(quick: bool) -> list[dict[str, Any]]:
    """Medians of several runs each."""
    runs = 2 if quick else RUNS
    commands = {"--help": ["--help"], "--dry-run": ["--dry-run"]}
    rows = []
    for name, words in commands.items():
        bills = [run(["-m", "programs.generate", *words]) for _ in range(runs)]
        rows.append({"command": name, "wall_s": round(median(bill.wall for bill in bills), 3), "runs": runs})
    return rows
