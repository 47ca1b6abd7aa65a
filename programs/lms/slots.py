"""Chooses one of llama.cpp's slots for each call, so that a prefix which calls share is read only once.

A slot holds the prompt that it read last, and reads a new prompt only from where the two differ. Calls about one text share
a prefix, but calls at the same time need a slot each. So a slot's state is saved when its call ends. If a saved state holds
more of a prompt than any free slot, it is restored first, which takes milliseconds instead of the seconds of reading.
"""

import threading
from typing import NamedTuple

from rapidfuzz.distance import Prefix

MIN_SHARED_CHARS = 400
"""Fewer shared characters, of about four per token, make no difference to the choice."""


class Slot(NamedTuple):
    """A slot that is taken, and the slot whose saved state to restore into it first; None: it keeps its own."""

    number: int
    source: int | None


class Slots:
    """The slots of one server, by number, and the state that each saved last. Safe to share between threads. Their contents
    are a guess about the server's memory and files. A wrong guess costs time but never changes a reply, since the server
    compares each prompt with what the slot really holds."""

    def __init__(self, count: int) -> None:
        self._held = [""] * count
        self._saved = [""] * count
        # In order of last use, the least recent first.
        self._free = list(range(count))
        self._lock = threading.Lock()

    def take(self, prompt: str) -> Slot | None:
        """Takes a free slot: the one that shares most of the prompt or, if none shares much or a saved state shares more,
        the least recently used. None if none is free."""
        with self._lock:
            if not self._free:
                return None
            number = max(self._free, key=lambda free: Prefix.similarity(self._held[free], prompt))
            source = None
            held = Prefix.similarity(self._held[number], prompt)
            best = max(range(len(self._saved)), key=lambda slot: Prefix.similarity(self._saved[slot], prompt))
            if Prefix.similarity(self._saved[best], prompt) >= held + MIN_SHARED_CHARS:
                number, source = self._free[0], best
            elif held < MIN_SHARED_CHARS:
                number = self._free[0]
            self._free.remove(number)
            self._held[number] = prompt
            return Slot(number, source)

    def record_state(self, slot: Slot, *, saved: bool) -> None:
        """Records that the slot's state was saved, or that this failed and none can be restored."""
        with self._lock:
            self._saved[slot.number] = self._held[slot.number] if saved else ""

    def release(self, slot: Slot) -> None:
        with self._lock:
            self._free.append(slot.number)
