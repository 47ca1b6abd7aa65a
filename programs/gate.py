"""The gate before the models: at most so many calls in flight, the deepest waiting stage first."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RunStopped(Exception):
    """The run is being stopped: no new call may start."""


class Gate:
    """Lets at most `capacity` callers through at once. Of those who wait, the one furthest along its text goes first,
    so that texts are finished rather than begun; at equal depth, the one that came first.

    After `close` nobody new is let through: those who wait, and all who come, get `RunStopped`.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.in_flight = 0
        self.closed = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tickets = 0

    @asynccontextmanager
    async def slot(self, depth: int) -> AsyncIterator[None]:
        """Holds one place. Raises `RunStopped` once the gate is closed."""
        await self._enter(depth)
        try:
            yield
        finally:
            self.in_flight -= 1
            self._admit()

    def close(self) -> None:
        self.closed = True
        while self._waiting:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_exception(RunStopped())

    async def _enter(self, depth: int) -> None:
        if self.closed:
            raise RunStopped
        if self.in_flight < self.capacity and not self._waiting:
            self.in_flight += 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tickets += 1
        heapq.heappush(self._waiting, (-depth, self._tickets, future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.in_flight -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and self.in_flight < self.capacity:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                self.in_flight += 1
                future.set_result(None)
