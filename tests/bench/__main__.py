"""`make bench`: runs the benchmarks, prints a table and writes JSON to bench-results/.

python -m tests.bench [NAME ...] [--quick] [--folder FOLDER] [--traces N]
"""

import argparse
import json
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.scale import scale
from tests.bench.speed import saturation, servers, start

RESULTS = Path("bench-results")
NAMES = "of start, saturation, servers, scale; all when none is given"

Row = dict[str, Any]


def main() -> None:
    """Runs the named benchmarks, or all. Writes after each row, so that an interrupted benchmark keeps its results."""
    given = _parse()
    benchmarks: dict[str, Callable[[], Iterable[Row]]] = {
        "start": lambda: start(given.quick),
        "saturation": lambda: saturation(given.quick),
        "servers": lambda: servers(given.quick),
        "scale": lambda: scale(given.quick, given.folder, given.traces),
    }
    # So that large files are deleted on SIGTERM, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    RESULTS.mkdir(exist_ok=True)
    for name in given.names or benchmarks:
        rows: list[Row] = []
        for row in benchmarks[name]():
            rows.append(row)
            _write(name, given.quick, rows)
        Console().print(_table(name, rows))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks of SynthReasoner.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=NAMES)
    parser.add_argument("--quick", action="store_true", help="smaller runs, to try the benchmarks themselves")
    folder = Path(tempfile.gettempdir())
    parser.add_argument("--folder", type=Path, default=folder, help="scale: where large files are made")
    parser.add_argument("--traces", type=int, default=1_000_000, help="scale: the most traces (default: 1,000,000)")
    return parser.parse_args()


def _write(name: str, quick: bool, rows: list[Row]) -> None:
    facts = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": platform.platform(), "rows": rows}
    path = RESULTS / f"{name}{'-quick' if quick else ''}.json"
    path.write_text(json.dumps(facts, indent=2) + "\n")


def _table(name: str, rows: list[Row]) -> Table:
    """A table with a column per row of results."""
    table = Table("", *(str(number + 1) for number in range(len(rows))), title=name)
    for key in dict.fromkeys(key for row in rows for key in row):
        table.add_row(key, *(str(row.get(key, "")) for row in rows))
    return table


if __name__ == "__main__":
    main()
