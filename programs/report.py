"""`python -m programs.report DOCUMENT`: one HTML file that shows a run's numbers and its traces, in any browser.

It needs no network and no server. `--compare OTHER` sets two runs side by side.
"""

from programs.cli.options import parse, run_cli
from programs.reports.options import ReportOptions


def main(arguments: list[str] | None = None) -> int:
    """Writes the report and says where it is and what it holds."""
    options = parse(ReportOptions, "python -m programs.report", "Show a run as one HTML file.", arguments)
    options.check()
    # Only now, since it needs the libraries that were just looked for.
    from programs.reports.making import make

    made = make(options)
    print(f"{made.path}: {made.shown} traces, {made.bytes / 1e6:.1f} MB")
    for note in made.notes:
        print(note)
    return 0


if __name__ == "__main__":
    run_cli(main)
