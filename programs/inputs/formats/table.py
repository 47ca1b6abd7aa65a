"""Which files are read, and by what. To add a format: a file beside this one with `read`, and a line here."""

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


class Format(NamedTuple):
    """A kind of document: the file here that reads it, the libraries that this needs, and whether it is text, which may be
    packed (.gz, .zst)."""

    reader: str
    needs: tuple[str, ...] = ()
    is_text: bool = True


FORMATS = {
    ".txt": Format("text"),
    ".text": Format("text"),
    ".md": Format("markdown"),
    ".markdown": Format("markdown"),
    ".tex": Format("latex", ("pypandoc",)),
    ".html": Format("html", ("lxml", "pypandoc")),
    ".htm": Format("html", ("lxml", "pypandoc")),
    ".xhtml": Format("html", ("lxml", "pypandoc")),
    ".docx": Format("docx", ("pypandoc",), is_text=False),
    ".pdf": Format("pdf", ("pdfminer",), is_text=False),
}
NEEDED_BY_ROWS = ("pyarrow",)
NEEDED_BY_HUB = ("datasets",)


def ending_of(path: Path) -> str:
    """What a file's name says that it is: its ending in small letters, before .gz or .zst."""
    endings = [suffix.lower() for suffix in path.suffixes[-2:]]
    return endings[-2] if len(endings) == 2 and endings[1] in PACKED else (endings[-1] if endings else "")


def format_of(path: Path) -> Format | None:
    """The format of a document, None for what is none: JSON lines, tables, what nobody knows."""
    found = FORMATS.get(ending_of(path))
    packed = path.suffix.lower() in PACKED
    return found if found is not None and (found.is_text or not packed) else None


def require(name: str, libraries: tuple[str, ...]) -> None:
    """Raises `UserError` where a library is missing that `name` needs. Imports nothing."""
    if any(importlib.util.find_spec(library) is None for library in libraries):
        raise UserError(f"{name} needs the readers for papers: pip install 'synthreasoner[papers]'")


def reader_of(format: Format) -> Callable[[bytes], Paper]:
    """The function that reads a format. Its libraries are imported now."""
    module = importlib.import_module(f"programs.inputs.formats.{format.reader}")
    read: Callable[[bytes], Paper] = module.read
    return read
