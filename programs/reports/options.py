"""What a report can be told: every option of `python -m programs.report`."""

from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from programs.errors import UserError
from programs.files import beside


class ReportOptions(BaseModel):
    """The options of a report. The names are those of the command line, with underscores."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)
    leading: ClassVar[str] = "document"

    document: Path = Field(description="the document to report on, or its journal")
    output: Path | None = Field(None, description="the HTML file to write (default: NAME.html beside the document)")
    compare: Path | None = Field(None, description="another document, whose numbers are set beside the first's")
    max_traces: int = Field(10_000, ge=1, description="the most traces that can be read in the file: the newest")

    @property
    def page(self) -> Path:
        """The file to write."""
        if self.output is not None:
            return self.output
        name = self.document.name.removesuffix(".jsonl").removesuffix(".journal")
        return self.document.with_name(f"{name.removesuffix('.json')}.html")

    @property
    def inputs(self) -> list[Path]:
        """The documents to read, the compared one last."""
        return [self.document, *([self.compare] if self.compare is not None else [])]

    def check(self) -> None:
        """Raises `UserError` where the page would be written over what it is made from."""
        taken = [path for read in self.inputs for path in (read, beside(read, "journal"))]
        if self.page.resolve() in [path.resolve() for path in taken]:
            raise UserError(f"--output: {self.page} is what the report is made from; name another file")
