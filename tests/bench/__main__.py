"""`make bench`: runs the benchmarks, prints a table and writes JSON to bench-results/.

python -m tests.bench [NAME ...] [--quick]
"""

import argparse
import importlib
import json
import platform
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

NAMES = ("start", "saturation", "scale")


def main() -> None:
    """Runs the named benchmarks, or all."""
    parser = argparse.ArgumentParser(description="Benchmarks of SynthReasoner.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all when none is given")
    parser.add_argument("--quick", action="store_true", help="smaller runs, to try the benchmarks themselves")
    given = parser.parse_args()
    console, results = Console(), Path("bench-results")
    results.mkdir(exist_ok=True)
    for name in given.names or NAMES:
        rows = importlib.import_module(f"tests.bench.{name}").bench(given.quick)
        table = Table(title=name)
        for column in ("", *(str(number + 1) for number in range(len(rows)))):
            table.add_column(column)
        for key in rows[0]:
            table.add_row(key, *(str(row.get(key, "")) for row in rows))
        console.print(table)
        facts = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": platform.platform(), "rows": rows}
        (results / f"{name}.json").write_text(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
