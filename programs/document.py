"""`python -m programs.document OUTPUT`: rebuilds the JSON document from its journal."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from programs.cli.options import Options, parse, run_cli
from programs.errors import UserError
from programs.files import JOURNAL, path_beside
from programs.run.document import read_records, write_document
from programs.run.journal import Journal
from programs.schema import Status

__all__ = ["DocumentOptions", "main", "read_records"]


class DocumentOptions(Options):
    """Rebuild the JSON document from its journal."""

    leading: ClassVar[str] = "output"

    output: Path = Field(description="the document; its journal must be beside it")


def main(arguments: list[str] | None = None) -> int:
    """Rewrites the document and prints its number of traces."""
    options = parse(DocumentOptions, arguments)
    path = path_beside(options.output, JOURNAL)
    if not path.exists():
        raise UserError(f"there is no journal {path}")
    with Journal(path) as journal:
        last = journal.latest("run", "")
        last_status: Status = (last or {}).get("status", "running")
        status: Status = "interrupted" if last_status == "running" else last_status
        metadata = write_document(journal, options.output, status, last.get("summary") if last else None)
    print(f"{options.output}: {metadata.total_traces_generated} traces")
    return 0


if __name__ == "__main__":
    run_cli(main)
