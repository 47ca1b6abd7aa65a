"""Doing the same with many things at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """`function` of every item, in order, in threads that have the caller's context. The first error (of the items'
    order) is raised, and what has not begun is then left; what is under way goes on unheeded."""
    pool = ThreadPoolExecutor(max(1, threads))
    try:
        futures = [pool.submit(copy_context().run, function, item) for item in items]
        return [future.result() for future in futures]
    finally:
        # After an interrupt nobody waits for whole traces; without an error nothing is under way.
        pool.shutdown(wait=False, cancel_futures=True)
