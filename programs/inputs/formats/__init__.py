"""Files as they come: which file here reads which kind of document, and what that needs.

A new format is a file here with a function from a file's bytes to a `Paper`, which raises `Unreadable` with a reason, and
its line in FORMATS. (`rows` is beside them: a table or a data set of the Hub gives records, as lines of JSON do.)
"""

import importlib.util
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from programs.errors import UserError
from programs.inputs.formats.paper import Paper

Kind = Literal["lines", "document", "parquet", "hub", "unknown", "own"]
"""unknown: in a folder, of no kind that is read; own: in a folder, written by this program beside its output."""

PACKED = (".gz", ".zst")


class FileFormat(NamedTuple):
    """The function that reads a document, as FILE:NAME; the libraries that are needed; and whether it is text, which may be
    packed."""

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


def ending_of(path: Path) -> str:
    """What a file's name says that it is: its ending in small letters, before .gz or .zst."""
    return (path.with_suffix("") if path.suffix.lower() in PACKED else path).suffix.lower()


def format_of(path: Path) -> FileFormat | None:
    """The format of a file, by its name; None for what nobody knows."""
    found = FORMATS.get(ending_of(path))
    return None if found and not found.is_text and path.suffix.lower() in PACKED else found


def require(name: str, libraries: tuple[str, ...]) -> None:
    """Raises `UserError` where a library is missing that `name` needs. Imports nothing."""
    if any(importlib.util.find_spec(library) is None for library in libraries):
        raise UserError(f"{name} needs the readers for papers: pip install 'synthreasoner[papers]'")


def reader_of(ending: str) -> Callable[[bytes], Paper]:
    """The function that reads documents of this ending. Its libraries are imported now."""
    read: Callable[[bytes], Paper] = pkgutil.resolve_name(f"programs.inputs.formats.{FORMATS[ending].reader}")
    return read
