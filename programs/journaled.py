"""Asking with a journal: what was answered before is read, what is answered now is written."""

import asyncio
from collections.abc import Awaitable, Callable

from programs.budget import Budget
from programs.calling import Caller
from programs.errors import FatalError
from programs.gate import Gate
from programs.journal import Journal
from programs.ledger import Ledger
from programs.plan import Ask, Reply

LOST_IN_A_ROW = 12
"""After so many stages in a row without an answer, over all calls in flight, the server is taken to be gone."""


class JournaledCaller:
    """Answers asks from the journal where it can, else from the models through the gate, writing what they say.

    `failure` is the first error after which no call can succeed; it closes the gate at once.
    """

    def __init__(
        self,
        caller: Caller,
        journal: Journal,
        gate: Gate,
        ledger: Ledger,
        budget: Budget,
        reach: Callable[[], Awaitable[None]],
    ) -> None:
        self._caller = caller
        self._budget = budget
        budget.stop = gate.close
        self._reach = reach
        self._reached: asyncio.Task[None] | None = None
        self._journal = journal
        self._gate = gate
        self._ledger = ledger
        self._lost = 0
        self._settled = False
        self._problems: list[str] = []
        self.failure: FatalError | None = None

    async def answer(self, ask: Ask) -> Reply:
        """Raises `RunStopped`, or `FatalError` when the models are gone."""
        line = self._journal.latest("stage", ask.key)
        if line is not None:
            self._ledger.reused += 1
            return Reply.model_validate(line["reply"])
        async with self._gate.slot(ask.depth, ask.sample):
            self._ledger.in_flight = self._gate.in_flight
            try:
                await self._knock()
                reply = await self._caller.aanswer(ask)
            except FatalError as error:
                self._fail(error)
                raise
        kind = "stage" if reply.settled else "failed"
        self._journal.append(kind, ask.key, stage=ask.account, reply=reply.model_dump(mode="json"))
        self._ledger.answered(ask.account, reply)
        self._budget.spend(reply)
        self._lost = 0 if reply.settled else self._lost + 1
        self._settled = self._settled or reply.settled
        self._problems = reply.problems
        if self._lost >= LOST_IN_A_ROW + self._gate.capacity:
            raise self._fail(self._gone())
        return reply

    async def _knock(self) -> None:
        """Before the first call, makes sure that the servers can be reached; a run that asks nothing needs none."""
        if self._reached is None:
            self._reached = asyncio.ensure_future(self._reach())
        await asyncio.shield(self._reached)

    def check_answered(self) -> None:
        """Raises `FatalError` when stages were asked and not one of them got an answer."""
        if self._lost and not self._settled:
            raise self._gone()

    def _gone(self) -> FatalError:
        return FatalError(f"{self._lost} stages in a row got no usable answer; the last: {'; '.join(self._problems)}")

    def _fail(self, error: FatalError) -> FatalError:
        self.failure = self.failure or error
        self._gate.close()
        return error
