"""What a run's tasks wait for: a place before the models, and, once it is interrupted, no more."""

import asyncio
import logging
import signal
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any, NamedTuple

from programs.errors import RunStopped
from programs.lms.retry import Aside

log = logging.getLogger("synthreasoner")

TEXTS_A_PLACE = 2
"""Texts under way per place: enough that a text's narrow stages leave no place empty."""

COMES_BACK = -1
"""The depth of those who had a place and waited for something: before all others."""


class _Waiting(NamedTuple):
    depth: int
    lane: str
    future: "asyncio.Future[None]"


class Gate:
    """Lets at most `capacity` callers through at once. Of those who wait, the one furthest along its text goes first,
    so that texts are finished rather than begun; at equal depth, the one that came first. Once no text is left to begin
    (`ending`) it is the other way round: the last texts then go on side by side, and use all places until they end.

    Those who have their reply keep their place until they go on, one each time the event loop comes round: what is done
    with a reply takes long, and many at once would hold up the call that has the place next. So at most `capacity` replies
    are not yet written at any time.

    With `lanes`, callers of one lane go one after another: a server with few slots then keeps each text's prefix in
    one of them. After `close` those who wait, and all who come, get `RunStopped`; `when_closed` is called once;
    `interrupted` says that a signal closed it.
    """

    def __init__(self, capacity: int, lanes: bool = False) -> None:
        self.capacity, self.lanes = capacity, lanes
        self.in_flight = 0
        self.closed = self.ending = self.interrupted = False
        self.when_closed: Callable[[], object] = lambda: None
        self._closing = asyncio.Event()
        self._busy: set[str] = set()
        self._waiting: defaultdict[int, deque[_Waiting]] = defaultdict(deque)
        self._replied: deque[asyncio.Future[None]] = deque()

    @property
    def texts(self) -> int:
        """How many texts should be under way at once."""
        return self.capacity if self.lanes else max(2, TEXTS_A_PLACE * self.capacity)

    @asynccontextmanager
    async def slot(self, depth: int, lane: str = "") -> AsyncIterator[Aside]:
        """Holds one place, and gives a way to wait for something without it; who comes back from that has the next place.
        Raises `RunStopped` once the gate is closed, out of such a wait too."""
        await self._enter(depth, lane)
        held = True

        async def aside(waited_for: Awaitable[Any]) -> None:
            nonlocal held
            held = False
            self._leave(lane)
            await self._unless_closed(waited_for)
            await self._enter(COMES_BACK, lane)
            held = True

        try:
            yield aside
            await self._go_on()
        finally:
            if held:
                self._leave(lane)

    async def _unless_closed(self, waited_for: Awaitable[Any]) -> None:
        task, closing = asyncio.ensure_future(waited_for), asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({task, closing}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            task.cancel()
            closing.cancel()

    def close(self) -> None:
        """Lets nobody through any more."""
        if self.closed:
            return
        self.closed = True
        self._closing.set()
        self.when_closed()
        for caller in chain.from_iterable(self._waiting.values()):
            if not caller.future.done():
                caller.future.set_exception(RunStopped())
        self._waiting.clear()

    async def _enter(self, depth: int, lane: str) -> None:
        if self.closed:
            raise RunStopped
        caller = _Waiting(depth, lane, asyncio.get_running_loop().create_future())
        self._waiting[depth].append(caller)
        self._admit()
        try:
            await caller.future
        except asyncio.CancelledError:
            # Cancelled just as it was let through: the place is another's.
            if caller.future.done() and not caller.future.cancelled() and caller.future.exception() is None:
                self._leave(lane)
            raise

    def _leave(self, lane: str) -> None:
        self.in_flight -= 1
        self._busy.discard(lane)
        self._admit()

    def _admit(self) -> None:
        while self.in_flight < self.capacity and (caller := self._next()) is not None:
            self._waiting[caller.depth].remove(caller)
            if not caller.future.done():
                self.in_flight += 1
                self._busy.add(caller.lane)
                caller.future.set_result(None)

    def _next(self) -> _Waiting | None:
        """Who is to be let through next, unless it was given up."""
        # In lanes a text's calls would lose their prefix to the others.
        deepest_first = self.lanes or not self.ending
        for depth in sorted(self._waiting, key=lambda depth: (depth != COMES_BACK, -depth if deepest_first else depth)):
            for caller in self._waiting[depth]:
                if not self.lanes or caller.lane not in self._busy or caller.future.done():
                    return caller
        return None

    async def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        replied = loop.create_future()
        self._replied.append(replied)
        if len(self._replied) == 1:
            loop.call_soon(self._next_goes_on, loop)
        await replied

    def _next_goes_on(self, loop: asyncio.AbstractEventLoop) -> None:
        replied = self._replied[0]
        if not replied.done():
            replied.set_result(None)
        self._replied.popleft()
        if self._replied:
            loop.call_soon(self._next_goes_on, loop)


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
