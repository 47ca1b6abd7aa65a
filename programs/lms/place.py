"""Where a call waits for its place among the calls in flight.

Whoever bounds the calls says with `placed` how a place is had; the LM that makes a call holds one with `held_place`, from
the request to the reply alone: while a prompt is made or a reply is read, another call can have it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from contextvars import ContextVar

Places = Callable[[], AbstractAsyncContextManager[object]]
"""Gives a place to hold, which is waited for when it is entered."""

_places: ContextVar[Places] = ContextVar("places", default=nullcontext)


@contextmanager
def placed(places: Places) -> Iterator[None]:
    """Calls made inside, in tasks too that inherit the context, hold a place."""
    token = _places.set(places)
    try:
        yield
    finally:
        _places.reset(token)


def held_place() -> AbstractAsyncContextManager[object]:
    """A place for one call; outside any `placed` block there is room for all."""
    return _places.get()()
