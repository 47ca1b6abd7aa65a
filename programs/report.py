"""`python -m programs.report DOCUMENT`: one HTML file that shows a run's numbers and its traces, in any browser.

It needs no network and no server. `--compare OTHER` shows the numbers of two runs beside each other.
"""

from programs.cli.options import parse, run_cli
from programs.reports.options import ReportOptions


def main(arguments: list[str] | None = None) -> int:
    """Writes the report and says where it is and what it holds."""
    options = parse(ReportOptions, "python -m programs.report", "Show a run as one HTML file.", arguments)
    options.check()
    # Only now: --help needs none of it.
    from programs.reports.page import write_report

    for line in write_report(options):
        print(line)
    return 0


if __name__ == "__main__":
    run_cli(main)
