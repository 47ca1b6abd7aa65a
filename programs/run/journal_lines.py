"""The lines of a journal as its index reads them: each with its place, and a mark of what stands before one."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from programs.run.index import Damaged

MARK_BYTES = 4096


def scan(path: Path, offset: int, size: int | None = None) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Every line from `offset` on that begins before `size` (None: to the end): its offset, its length and what it says.
    Raises `Damaged` at one that is no line of a journal, and OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if size is not None and offset >= size:
                return
            try:
                yield offset, len(line), orjson.loads(line)
            except orjson.JSONDecodeError:
                raise Damaged(offset) from None
            offset += len(line)


def mark(file: int, offset: int) -> str:
    """A hash of the bytes before `offset`, which no other journal has there. Raises OSError."""
    start = max(0, offset - MARK_BYTES)
    return hashlib.blake2b(os.pread(file, offset - start, start), digest_size=8).hexdigest()
