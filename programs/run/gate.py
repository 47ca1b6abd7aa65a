"""Limits how many model calls run at once, and stops new ones when the run is interrupted."""

import asyncio
import logging
import signal
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

from programs.errors import RunStopped
from programs.lms.retry import ReleaseWhile

log = logging.getLogger("synthreasoner")

TEXTS_PER_PERMIT = 2
"""Texts in progress per permit: enough to use all permits while some texts are at a stage with few calls."""

RETURNING_DEPTH = -1
"""The depth of calls that released their permit to wait for something. It is below all others, but they go first."""


class Gate:
    """A priority semaphore with `capacity` permits. The waiting call that is furthest along its text goes first, so that
    texts are finished before new ones start; ties are first come, first served. Once no text is left to start (`ending`),
    the order is reversed: the last texts then advance side by side, and use all permits to the end.

    Processing a reply takes long. Calls that have their reply therefore continue one at a time, with a turn of the event
    loop between them, and keep their permit until then, so that at most `capacity` replies are not written yet.

    `texts`: how many texts should be in progress at once. After `close`, waiting and new calls get `RunStopped`;
    `on_close` is called once; `interrupted`: a signal closed the gate."""

    def __init__(self, capacity: int, texts: int | None = None) -> None:
        self.capacity, self.texts = capacity, texts or max(2, TEXTS_PER_PERMIT * capacity)
        self.in_flight = 0
        self.closed = self.ending = self.interrupted = False
        self.on_close: Callable[[], object] = lambda: None
        self._closing = asyncio.Event()
        self._waiting: defaultdict[int, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._continuing = asyncio.Lock()

    @asynccontextmanager
    async def permit(self, depth: int) -> AsyncIterator[ReleaseWhile]:
        """Holds a permit. Yields a function that releases it while it awaits something, and then takes the next free one.
        Raises `RunStopped` once the gate is closed, also out of such a wait."""
        await self._enter(depth)
        holds_permit = True

        async def release_while(waited_for: Awaitable[Any]) -> None:
            nonlocal holds_permit
            holds_permit = False
            self._leave()
            await self.wait_unless_closed(waited_for)
            await self._enter(RETURNING_DEPTH)
            holds_permit = True

        try:
            yield release_while
            async with self._continuing:
                await asyncio.sleep(0)
        finally:
            if holds_permit:
                self._leave()

    async def wait_unless_closed(self, waited_for: Awaitable[Any]) -> None:
        """Awaits something and raises its errors; once the gate is closed, cancels it and returns."""
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
        self.on_close()
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
            # Cancelled after it got a permit: pass the permit on.
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
            depths := [depth for depth, callers in self._waiting.items() if callers]
        ):
            shallowest_first = self.ending or RETURNING_DEPTH in depths
            caller = self._waiting[min(depths) if shallowest_first else max(depths)].popleft()
            # A cancelled caller is done.
            if not caller.done():
                self.in_flight += 1
                caller.set_result(None)


@asynccontextmanager
async def interruptible(gate: Gate) -> AsyncIterator[None]:
    """The first SIGINT or SIGTERM closes the gate; a second one cancels the task that runs the block."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if gate.interrupted and task is not None:
            task.cancel()
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
