"""File formats: which module reads which kind of document, and the libraries that it needs.

To add a format, write a module here with a function from a file's bytes to a `Paper`, which raises `Unreadable` with a
reason, and add a line to FORMATS. (`rows` is different: tables and Hub data sets yield records, as JSON lines do.)
"""

import importlib.util
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from programs.errors import UserError
from programs.inputs.formats.paper import Paper

Kind = Literal["lines", "document", "parquet", "hub", "unknown", "own"]
"""Only in folders: unknown (an unsupported kind of file) and own (written by this program beside its output)."""

COMPRESSED = (".gz", ".zst")


class FileFormat(NamedTuple):
    """`reader`: the function that reads a document, as MODULE:NAME. `needs`: the libraries that it imports. `is_text`: the
    file may be compressed."""

    reader: str
    needs: tuple[str, ...] = ()
    is_text: bool = True
    kind: Kind = "document"


FORMATS = {
    **dict.fromkeys((".jsonl", ".ndjson"), FileFormat("", kind="lines")),
    **dict.fromkeys((".txt", ".text"), FileFormat("text:read_text")),
    **dict.fromkeys((".md", ".markdown"), FileFormat("text:read_markdown")),
    ".tex": FileFormat("latex:read_latex", ("pypandoc",)),
    **dict.fromkeys((".html", ".htm", ".xhtml"), FileFormat("html:read_html", ("lxml", "pypandoc"))),
    ".docx": FileFormat("word:read_docx", ("lxml", "pypandoc"), is_text=False),
    ".pdf": FileFormat("pdf:read_pdf", ("pdf_inspector",), is_text=False),
    ".parquet": FileFormat("", ("pyarrow",), is_text=False, kind="parquet"),
}
PAPER_ENDINGS = " ".join(ending for ending, format in FORMATS.items() if format.kind == "document")


def ending_of(path: Path) -> str:
    """The extension of a file in lower case, not counting a final .gz or .zst."""
    return (path.with_suffix("") if path.suffix.lower() in COMPRESSED else path).suffix.lower()


def format_of(path: Path) -> FileFormat | None:
    """The format of a file, by its name; None if it is unknown, or compressed although it is not text."""
    found = FORMATS.get(ending_of(path))
    return None if found and not found.is_text and path.suffix.lower() in COMPRESSED else found


def require(name: str, libraries: tuple[str, ...]) -> None:
    """Raises `UserError` if any of the libraries that the input `name` needs is missing. Imports none of them."""
    if any(importlib.util.find_spec(library) is None for library in libraries):
        raise UserError(f"{name} needs the readers for papers: pip install 'synthreasoner[papers]'")


def reader_of(ending: str) -> Callable[[bytes], Paper]:
    """The function that reads documents with this extension. Imports the libraries that it needs."""
    read: Callable[[bytes], Paper] = pkgutil.resolve_name(f"programs.inputs.formats.{FORMATS[ending].reader}")
    return read
