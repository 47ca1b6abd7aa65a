"""Waits for what may block (a pipe, a file system that hangs), so that whoever reads can look up meanwhile."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

PAUSE = 0.0002
"""Seconds between two looks whether something has come."""

AHEAD = 2
"""Items that are fetched before they are asked for."""

Item = TypeVar("Item")


def patiently(items: Iterable[Item]) -> Iterator[Item | None]:
    """The items, which a thread fetches, with None every PAUSE seconds while one is being waited for. Raises what fetching
    them raises. A thread that never gets its item ends with the program."""
    fetched: queue.SimpleQueue[tuple[Item] | BaseException | None] = queue.SimpleQueue()
    room, left = threading.Semaphore(AHEAD), threading.Event()

    def fetch() -> None:
        end: BaseException | None = None
        try:
            for item in items:
                fetched.put((item,))
                room.acquire()
                if left.is_set():
                    return
        except BaseException as error:  # handed on to whoever waits
            end = error
        fetched.put(end)

    threading.Thread(target=fetch, name="reading", daemon=True).start()
    try:
        while True:
            try:
                found = fetched.get_nowait()
            except queue.Empty:
                # Not a `get` with a timeout: in CPython 3.11 one that a signal interrupts at its end waits for ever.
                time.sleep(PAUSE)
                yield None
                continue
            if isinstance(found, BaseException):
                raise found
            if found is None:
                return
            room.release()
            yield found[0]
    finally:
        left.set()
        room.release()
