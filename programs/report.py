"""`python -m programs.report DOCUMENT`: one HTML file that shows a run's numbers and its traces, in any browser.

It needs no network and no server. `--compare OTHER` sets two runs side by side; `--live` writes the file again every 10
seconds while the run goes on.
"""

import sys

from programs.cli.options import parse, run_cli
from programs.reports.options import ReportOptions


def main(arguments: list[str] | None = None) -> int:
    """Writes the report and says where it is and what it holds."""
    options = parse(ReportOptions, "python -m programs.report", "Show a run as one HTML file.", arguments)
    options.check()
    # Only now, since it needs the libraries that were just looked for.
    from programs.reports.live import follow
    from programs.reports.making import Made, make

    def told(made: Made) -> None:
        print(f"{made.path}: {made.shown} traces, {made.bytes / 1e6:.1f} MB")
        for note in made.notes:
            print(note)
        sys.stdout.flush()

    if not options.live:
        told(make(options))
        return 0
    try:
        for made in follow(options):
            told(made)
        print(f"the run has ended: {made.status or 'status not known'}")
    except KeyboardInterrupt:
        print("stopped; the report is as it was last written")
    return 0


if __name__ == "__main__":
    run_cli(main)
