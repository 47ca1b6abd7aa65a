"""What the parent of forks is told to start."""

from pathlib import Path

from pydantic import BaseModel

LONGEST = 1 << 17
"""Bytes of an order: one message of a sequenced socket."""


class Order(BaseModel):
    """A command, `python -m module *arguments`. `largest_file` are the bytes beyond which the system lets no file grow."""

    module: str
    arguments: list[str]
    env: dict[str, str]
    cwd: Path
    largest_file: int | None = None
