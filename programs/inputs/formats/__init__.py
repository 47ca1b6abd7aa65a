"""Documents as they come: which file here reads which kind, and what that needs.

A new format is a file here with a function from a file's bytes to a `Paper`, which raises `Unreadable` with a reason, and
its line in FORMATS. (`rows` is beside them: a table or a data set of the Hub gives records, as lines of JSON do.)
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from programs.errors import UserError
from programs.inputs.formats.paper import Paper

PACKED = (".gz", ".zst")
LINES = (".jsonl", ".ndjson")
ROWS = (".parquet",)


class PaperFormat(NamedTuple):
    """A kind of document: the function that reads it, as FILE.NAME, the libraries that this needs, and whether it is text,
    which may be packed (.gz, .zst)."""

    reader: str
    needs: tuple[str, ...] = ()
    is_text: bool = True


FORMATS = {
    **dict.fromkeys((".txt", ".text"), PaperFormat("text.read_text")),
    **dict.fromkeys((".md", ".markdown"), PaperFormat("text.read_markdown")),
    ".tex": PaperFormat("latex.read_latex", ("pypandoc",)),
    **dict.fromkeys((".html", ".htm", ".xhtml"), PaperFormat("html.read_html", ("lxml", "pypandoc"))),
    ".docx": PaperFormat("word.read_docx", ("lxml", "pypandoc"), is_text=False),
    ".pdf": PaperFormat("pdf.read_pdf", ("pdf_inspector",), is_text=False),
}
NEEDED_BY_TABLES = {"parquet": ("pyarrow",), "hub": ("datasets",)}


def ending_of(path: Path) -> str:
    """What a file's name says that it is: its ending in small letters, before .gz or .zst."""
    endings = [suffix.lower() for suffix in path.suffixes[-2:]]
    return endings[-2] if len(endings) == 2 and endings[1] in PACKED else (endings[-1] if endings else "")


def format_of(path: Path) -> PaperFormat | None:
    """The format of a document, None for what is none: JSON lines, tables, what nobody knows."""
    found = FORMATS.get(ending_of(path))
    packed = path.suffix.lower() in PACKED
    return found if found is not None and (found.is_text or not packed) else None


def require(name: str, libraries: tuple[str, ...]) -> None:
    """Raises `UserError` where a library is missing that `name` needs. Imports nothing."""
    if any(importlib.util.find_spec(library) is None for library in libraries):
        raise UserError(f"{name} needs the readers for papers: pip install 'synthreasoner[papers]'")


def reader_of(ending: str) -> Callable[[bytes], Paper]:
    """The function that reads files of this ending. Its libraries are imported now."""
    file, _, name = FORMATS[ending].reader.partition(".")
    read: Callable[[bytes], Paper] = getattr(importlib.import_module(f"programs.inputs.formats.{file}"), name)
    return read
