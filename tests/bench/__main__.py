"""`make bench`: runs the benchmarks, prints a table and writes JSON to bench-results/.

python -m tests.bench [NAME ...] [--quick] [--folder FOLDER] [--traces N]
"""

import argparse
import json
import platform
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.options import Options
from tests.bench.report import report
from tests.bench.scale import scale
from tests.bench.speed import rate, saturation, start

BENCHMARKS = {bench.__name__: bench for bench in (start, saturation, rate, report, scale)}
RESULTS = Path("bench-results")
SIDE_BY_SIDE = 6

Row = dict[str, Any]


def main() -> None:
    """Runs the named benchmarks, or all. What was measured before one breaks off is kept."""
    names, options = _parse()
    # Large files are taken away also when the whole is ended from outside.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    RESULTS.mkdir(exist_ok=True)
    for name in names:
        rows: list[Row] = []
        for row in BENCHMARKS[name](options):
            rows.append(row)
            _write(name, options.quick, rows)
        Console().print(_table(name, rows))


def _parse() -> tuple[list[str], Options]:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks of SynthReasoner.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all when none is given")
    parser.add_argument("--quick", action="store_true", help="smaller runs, to try the benchmarks themselves")
    parser.add_argument("--folder", type=Path, help="where large files are made (default: the temporary folder)")
    parser.add_argument("--traces", type=int, help="scale, report: the most traces (default: 1,000,000; 10,000)")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}")
    return given.names or list(BENCHMARKS), Options(given.quick, given.folder, given.traces)


def _write(name: str, quick: bool, rows: list[Row]) -> None:
    facts = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": platform.platform(), "rows": rows}
    path = RESULTS / f"{name}{'-quick' if quick else ''}.json"
    path.write_text(json.dumps(facts, indent=2) + "\n")


def _table(name: str, rows: list[Row]) -> Table:
    """A column for each row of figures; the other way round where these are too many to stand side by side."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=name)
    if len(rows) > SIDE_BY_SIDE:
        for key in keys:
            table.add_column(key)
        for row in rows:
            table.add_row(*(str(row.get(key, "")) for key in keys))
        return table
    for column in ("", *(str(number + 1) for number in range(len(rows)))):
        table.add_column(column)
    for key in keys:
        table.add_row(key, *(str(row.get(key, "")) for row in rows))
    return table


if __name__ == "__main__":
    main()
