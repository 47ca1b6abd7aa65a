"""Turns: what many tasks do at once, decided in the order in which they began."""

import asyncio

from programs.running.gate import RunStopped


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
