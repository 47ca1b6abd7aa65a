"""What is being asked, for whoever traces it."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from programs.asking.plan import Ask

asked: ContextVar[Ask | None] = ContextVar("asked", default=None)
"""The ask that is being answered."""


@contextlib.contextmanager
def asking(ask: Ask) -> Iterator[None]:
    """Inside, a model is asked this."""
    token = asked.set(ask)
    try:
        yield
    finally:
        asked.reset(token)
