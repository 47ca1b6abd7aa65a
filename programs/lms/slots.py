"""Which of llama.cpp's slots a call takes, so that what calls share is read once.

A slot holds what it read last, and goes on from where a new prompt differs from that. Calls about one text begin alike;
those that are under way at the same time need a slot each. So the state of a slot is saved when its call has ended, and
where a saved state holds more of a prompt than any free slot does, it is put into one: milliseconds in place of the seconds
that reading takes.
"""

import threading
from typing import NamedTuple

from rapidfuzz.distance import Prefix

WORTH = 400
"""Characters in common, of about four a token, from which on it matters what a slot holds."""

STATES_A_SLOT = 2


class Slot(NamedTuple):
    """A slot that is taken, and the number of the saved state that it is to be given first; None: it keeps its own."""

    number: int
    state: int | None


class Slots:
    """The slots of one server and the states saved of them, by number. Safe to share between threads.

    What stands here is a guess about the server's memory: a wrong one costs time and never changes a reply, since the
    server compares a prompt with what a slot really holds.
    """

    def __init__(self, count: int) -> None:
        self._held = [""] * count
        # Those that were not used for the longest time come first.
        self._free, self._states = list(range(count)), dict.fromkeys(range(STATES_A_SLOT * count), "")
        self._lock = threading.Lock()

    def take(self, prompt: str) -> Slot | None:
        """A free slot for a call with this prompt; None where there is none."""
        with self._lock:
            if not self._free:
                return None
            number, state = max(self._free, key=lambda free: _common(self._held[free], prompt)), None
            held = _common(self._held[number], prompt)
            best = max(self._states, key=lambda saved: _common(self._states[saved], prompt))
            if _common(self._states[best], prompt) >= held + WORTH:
                number, state = self._free[0], best
                self._states[best] = self._states.pop(best)
            elif held < WORTH:
                number = self._free[0]
            self._free.remove(number)
            self._held[number] = prompt
            return Slot(number, state)

    def oldest_state(self) -> int:
        """The saved state that is to be written over next, which nobody is given any more."""
        with self._lock:
            oldest = next(iter(self._states))
            del self._states[oldest]
            self._states[oldest] = ""
            return oldest

    def forget(self, state: int) -> None:
        """What was saved under this number cannot be had."""
        with self._lock:
            self._states[state] = ""

    def saved(self, slot: Slot, state: int) -> None:
        """A slot's state was saved under this number."""
        with self._lock:
            self._states[state] = self._held[slot.number]

    def leave(self, slot: Slot) -> None:
        """The slot is free again."""
        with self._lock:
            self._free.append(slot.number)


def _common(one: str, other: str) -> int:
    return Prefix.similarity(one, other)
