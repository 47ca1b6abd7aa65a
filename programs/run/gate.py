"""What a run's tasks wait for: a place before the models, and, once it is interrupted, no more."""

import asyncio
import logging
import signal
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

from programs.errors import RunStopped
from programs.lms.retry import Aside

log = logging.getLogger("synthreasoner")

TEXTS_A_PLACE = 2
"""Texts under way per place: enough that a text's narrow stages leave no place empty."""

RETURNING = -1
"""The depth of those who had a place and waited for something: below all others, and before them."""


class Gate:
    """Lets at most `capacity` callers through at once. Of those who wait, the one furthest along its text goes first,
    so that texts are finished rather than begun; at equal depth, the one that came first. Once no text is left to begin
    (`ending`) it is the other way round: the last texts then go on side by side, and use all places until they end.

    What is done with a reply takes long. So those who have theirs go on one after another, between which the event loop
    comes round, and keep their place until then: at no time are more than `capacity` replies not yet written.

    `texts` is how many texts should be under way at once. After `close` those who wait, and all who come, get
    `RunStopped`; `when_closed` is called once; `interrupted` says that a signal closed it."""

    def __init__(self, capacity: int, texts: int | None = None) -> None:
        self.capacity, self.texts = capacity, texts or max(2, TEXTS_A_PLACE * capacity)
        self.in_flight = 0
        self.closed = self.ending = self.interrupted = False
        self.when_closed: Callable[[], object] = lambda: None
        self._closing = asyncio.Event()
        self._waiting: defaultdict[int, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._going_on = asyncio.Lock()

    @asynccontextmanager
    async def place(self, depth: int) -> AsyncIterator[Aside]:
        """Holds one place, and gives a way to wait for something without it; who comes back from that has the next place.
        Raises `RunStopped` once the gate is closed, out of such a wait too."""
        await self._enter(depth)
        held = True

        async def aside(waited_for: Awaitable[Any]) -> None:
            nonlocal held
            held = False
            self._leave()
            await self.unless_closed(waited_for)
            await self._enter(RETURNING)
            held = True

        try:
            yield aside
            async with self._going_on:
                await asyncio.sleep(0)
        finally:
            if held:
                self._leave()

    async def unless_closed(self, waited_for: Awaitable[Any]) -> None:
        """Waits for something, and gives it up once the gate is closed. Raises what it raises."""
        task, closing = asyncio.ensure_future(waited_for), asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({task, closing}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()
            closing.cancel()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._closing.set()
        self.when_closed()
        for caller in chain.from_iterable(self._waiting.values()):
            if not caller.done():
                caller.set_exception(RunStopped())
        self._waiting.clear()

    async def _enter(self, depth: int) -> None:
        if self.closed:
            raise RunStopped
        caller = asyncio.get_running_loop().create_future()
        self._waiting[depth].append(caller)
        self._admit()
        try:
            await caller
        except asyncio.CancelledError:
            # Cancelled just as it was let through: the place is another's.
            if caller.done() and not caller.cancelled() and caller.exception() is None:
                self._leave()
            raise
        if self.closed:
            self._leave()
            raise RunStopped

    def _leave(self) -> None:
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self.in_flight < self.capacity and (
            depths := [each for each, callers in self._waiting.items() if callers]
        ):
            shallowest_first = self.ending or RETURNING in depths
            caller = self._waiting[min(depths) if shallowest_first else max(depths)].popleft()
            # One that was given up is done.
            if not caller.done():
                self.in_flight += 1
                caller.set_result(None)


@asynccontextmanager
async def interruptible(gate: Gate) -> AsyncIterator[None]:
    """The first SIGINT or SIGTERM closes the gate; a second one cancels the task that runs the block."""
    loop, main = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if gate.interrupted and main is not None:
            main.cancel()
            return
        gate.interrupted = True
        log.warning("stopping: waiting for the calls in flight; interrupt again to stop at once")
        gate.close()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    try:
        yield
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
