"""What a run's tasks wait for: a place before the models, their turn to decide, and, once it is interrupted, no more."""

import asyncio
import contextlib
import heapq
import logging
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from programs.errors import RunStopped

TEXTS_A_PLACE = 2
"""Texts under way per place: enough that a text's narrow stages leave no place empty."""


PLACES_A_LEAVER = 8
"""For so many places, one reply may wait for its turn without having one."""


class _Waiting(NamedTuple):
    rank: int
    ticket: int
    lane: str
    future: "asyncio.Future[None]"


class Gate:
    """Lets at most `capacity` callers through at once. Of those who wait, the one furthest along its text goes first,
    so that texts are finished rather than begun; at equal depth, the one that came first. Once no text is left to begin
    (`ending`) it is the other way round: the last texts then go on side by side, and use all places until they end.

    Whoever has its reply waits for a turn before it goes on, one a turn of the event loop: what is done with a reply takes
    longer than anything else here, and many replies at once would hold up the call that has the place next. Few have left
    their place by then: a kill loses their replies beside those that are in flight.

    With `lanes`, callers of one lane go one after another: a server with few slots then keeps each text's prefix in
    one of them. After `close` nobody new is let through: those who wait, and all who come, get `RunStopped`; `when_closed`
    is called once.
    """

    def __init__(self, capacity: int, lanes: bool = False) -> None:
        self.capacity = capacity
        self.lanes = lanes
        self.in_flight = 0
        self.closed = False
        self.when_closed: Callable[[], object] = lambda: None
        self._busy: set[str] = set()
        self._waiting: list[_Waiting] = []
        self._ending = False
        self._tickets = 0
        self._turns: deque[asyncio.Future[None]] = deque()

    @property
    def texts(self) -> int:
        """How many texts should be under way at once."""
        return self.capacity if self.lanes else max(2, TEXTS_A_PLACE * self.capacity)

    @property
    def ending(self) -> bool:
        """Whether no text is left to begin."""
        return self._ending

    @ending.setter
    def ending(self, ending: bool) -> None:
        # In lanes a text's calls would lose their prefix to the others.
        if ending != self._ending and not self.lanes:
            self._ending = ending
            self._waiting = [caller._replace(rank=-caller.rank) for caller in self._waiting]
            heapq.heapify(self._waiting)

    @asynccontextmanager
    async def slot(self, depth: int, lane: str = "") -> AsyncIterator[None]:
        """Holds one place. Raises `RunStopped` once the gate is closed."""
        await self._enter(depth, lane)
        try:
            yield
        except BaseException:
            self._leave(lane)
            raise
        if len(self._turns) < self.capacity // PLACES_A_LEAVER:
            self._leave(lane)
            await self._turn()
            return
        try:
            await self._turn()
        finally:
            self._leave(lane)

    def close(self) -> None:
        """Lets nobody through any more."""
        if self.closed:
            return
        self.closed = True
        self.when_closed()
        waiting, self._waiting = self._waiting, []
        for caller in waiting:
            if not caller.future.done():
                caller.future.set_exception(RunStopped())

    async def _enter(self, depth: int, lane: str) -> None:
        if self.closed:
            raise RunStopped
        rank = depth if self._ending else -depth
        caller = _Waiting(rank, self._tickets, lane, asyncio.get_running_loop().create_future())
        self._tickets += 1
        heapq.heappush(self._waiting, caller)
        self._admit()
        try:
            await caller.future
        except asyncio.CancelledError:
            if caller.future.done() and not caller.future.cancelled() and caller.future.exception() is None:
                self._leave(lane)
            raise

    def _leave(self, lane: str) -> None:
        self.in_flight -= 1
        self._busy.discard(lane)
        self._admit()

    def _admit(self) -> None:
        held: list[_Waiting] = []
        while self._waiting and self.in_flight < self.capacity:
            caller = heapq.heappop(self._waiting)
            if caller.future.done():
                continue
            if self.lanes and caller.lane in self._busy:
                held.append(caller)
                continue
            self.in_flight += 1
            self._busy.add(caller.lane)
            caller.future.set_result(None)
        for caller in held:
            heapq.heappush(self._waiting, caller)

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._turns.append(turn)
        if len(self._turns) == 1:
            loop.call_soon(self._next_turn, loop)
        await turn

    def _next_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._turns[0]
        if not turn.done():
            turn.set_result(None)
        self._turns.popleft()
        if self._turns:
            loop.call_soon(self._next_turn, loop)


class Turns:
    """Tickets are numbered as they are taken. A ticket's turn has come when all before it are over, however late each
    is, so that what is decided in turn does not depend on how fast anything was.

    A ticket that is given up undecided ends the line: those behind it must not decide before it, and get `RunStopped`.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._next = 0
        self._over: set[int] = set()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._ended = False

    def take(self) -> int:
        """A new ticket, behind all others."""
        self._taken += 1
        return self._taken - 1

    async def come(self, ticket: int) -> None:
        """Returns when it is the ticket's turn. Raises `RunStopped` when it never will be."""
        if self._ended:
            raise RunStopped
        if ticket > self._next:
            self._waiting[ticket] = asyncio.get_running_loop().create_future()
            try:
                await self._waiting[ticket]
            finally:
                del self._waiting[ticket]

    def over(self, ticket: int, *, decided: bool = True) -> None:
        """Ends a ticket; a second time changes nothing."""
        if ticket < self._next or ticket in self._over:
            return
        self._over.add(ticket)
        if not decided:
            self._ended = True
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(RunStopped())
        while self._next in self._over:
            self._over.discard(self._next)
            self._next += 1
        waiting = self._waiting.get(self._next)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


log = logging.getLogger("synthreasoner")


@contextlib.asynccontextmanager
async def interruptible(gate: Gate) -> AsyncIterator[asyncio.Event]:
    """Gives an event that is set by the first SIGINT or SIGTERM, which also closes the gate.

    A second signal stops at once: the task that runs the block is cancelled.
    """
    interrupted = asyncio.Event()
    loop, main = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if interrupted.is_set() and main is not None:
            main.cancel()
            return
        interrupted.set()
        log.warning("stopping: waiting for the calls in flight; interrupt again to stop at once")
        gate.close()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    try:
        yield interrupted
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
