"""`python -m programs.report DOCUMENT`: writes an HTML file that shows a run's numbers and traces in any browser.

The file needs no network and no server.
"""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from programs.cli.options import Options, parse, run_cli
from programs.files import run_name


class ReportOptions(Options):
    """Show a run as one HTML file."""

    leading: ClassVar[str] = "document"

    document: Path = Field(description="the document to report on, or its journal")
    output: Path | None = Field(None, description="the HTML file to write (default: NAME.html beside the document)")
    max_traces: int = Field(10_000, ge=1, description="maximum traces that can be read in the file: the newest")

    @property
    def page(self) -> Path:
        """The HTML file to write."""
        return self.output or self.document.with_name(f"{run_name(self.document)}.html")


def main(arguments: list[str] | None = None) -> int:
    """Writes the report and prints where it is and what it holds."""
    options = parse(ReportOptions, arguments)
    # Imported here, since --help does not need it.
    from programs.reports.page import write_report

    print(*write_report(options.document, options.page, options.max_traces), sep="\n")
    return 0


if __name__ == "__main__":
    run_cli(main)
