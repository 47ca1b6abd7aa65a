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
    fetched: queue.SimpleQueue[tuple[bool, Item | None, BaseException | None]] = queue.SimpleQueue()
    room, left = threading.Semaphore(AHEAD), threading.Event()

    def fetch() -> None:
        try:
            for item in items:
                fetched.put((True, item, None))
                room.acquire()
                if left.is_set():
                    return
            fetched.put((False, None, None))
        except BaseException as error:  # handed on to whoever waits
            fetched.put((False, None, error))

    threading.Thread(target=fetch, name="reading", daemon=True).start()
    try:
        while True:
            try:
                more, item, error = fetched.get_nowait()
            except queue.Empty:
                # Not a `get` with a timeout: in CPython 3.11 one that a signal interrupts at its end waits for ever.
                time.sleep(PAUSE)
                yield None
                continue
            if error is not None:
                raise error
            if not more:
                return
            room.release()
            yield item
    finally:
        left.set()
        room.release()
